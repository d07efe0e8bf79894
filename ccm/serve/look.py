"""A brand's look for its pages: colours of its tokens, its fonts, its logo. No scripts, nothing from elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ccm.model.workspace import Brand, ContentLibrary, MissingContent

# What the page calls a colour → the tokens that may give it, the best first; then what stands in for both modes.
_COLOURS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    "ground": (("color.surface.page",), ("color.dark.page",), "#f4f6f8", "#11171d"),
    "card": (("color.surface.card",), ("color.dark.card",), "#ffffff", "#1a222a"),
    "ink": (("color.text.default",), ("color.dark.text",), "#16202b", "#e8edf2"),
    "heading": (("color.text.heading", "color.text.default"), ("color.dark.heading", "color.dark.text"), "#16202b", "#ffffff"),
    "soft": (("color.text.muted",), ("color.dark.muted",), "#5b6875", "#9aa7b4"),
    "line": (("color.line.default",), ("color.dark.line",), "#d5dbe2", "#33404d"),
    "link": (("color.text.link",), ("color.dark.link",), "#0b5cad", "#6cb2f5"),
    "action": (("color.action.background", "color.brand.primary"), ("color.dark.action",), "#0b5cad", "#6cb2f5"),
    "onaction": (("color.action.text", "color.on.primary"), ("color.dark.on_action",), "#ffffff", "#0b1c2d"),
    "good": (("color.status.positive",), ("color.dark.positive",), "#1a7f4b", "#5fce94"),
    "accent": (("color.brand.accent",), ("color.brand.accent",), "#0b5cad", "#6cb2f5"),
}  # fmt: skip
_SHAPES = {"radius": ("radius.panel", "8px"), "button": ("radius.button", "8px")}
_FAMILIES = {"body": "font.family.body", "title": "font.family.heading"}
_SYSTEM = 'system-ui, "Segoe UI", Roboto, Arial, sans-serif'
_SAFE = re.compile(r"[#\w\s(),.%\"'+/-]{1,300}")  # no braces, no semicolon, no url with a scheme, no comment
_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".ttf": "font/ttf", ".otf": "font/otf"}


@dataclass(frozen=True)
class LookFile:
    """A file of the brand, as a page loads it."""

    content: bytes
    media_type: str


class Look:
    """One brand's style sheet and files."""

    def __init__(self, brand: Brand, library: ContentLibrary) -> None:
        definition = brand.definition
        self._files = {"logo": definition.logo.file}
        if definition.logo.email_dark:
            self._files["logo-dark"] = definition.logo.email_dark
        for number, font in enumerate(definition.fonts):
            self._files[f"font-{number}"] = font.file
        self._brand = brand
        self._library = library

    @property
    def has_dark_logo(self) -> bool:
        """Whether the brand has a logo of its own for dark mode."""
        return "logo-dark" in self._files

    def file(self, name: str) -> LookFile | None:
        """Return the logo, the dark logo or a font; None for any other name or a file that is not there."""
        path = self._files.get(name)
        if path is None:
            return None
        path = posixpath.normpath(posixpath.join(self._brand.root, path))
        media_type = _MEDIA.get(posixpath.splitext(path)[1].lower())
        try:
            return LookFile(self._library.read(path), media_type) if media_type else None
        except MissingContent:
            return None

    def style(self) -> str:
        """Return the style sheet: fonts, colours for light and dark, then the page's own rules by variables."""
        tokens = {path: token.value for path, token in self._brand.tokens.items() if _SAFE.fullmatch(token.value)}
        return self._fonts() + style_of(tokens)

    def _fonts(self) -> str:
        faces = []
        for number, font in enumerate(self._brand.definition.fonts):
            if not re.fullmatch(r"[\w -]+", font.family):
                continue
            faces.append(
                f'@font-face{{font-family:"{font.family}";font-weight:{font.weight};font-style:{font.style};'
                f"font-display:swap;src:url(font-{number})}}"
            )
        return "".join(faces)


def style_of(tokens: Mapping[str, str]) -> str:
    """Return the style sheet for some tokens; with none of them it is plain and readable."""
    light, dark = [], []
    both_modes = any(path.startswith("color.dark.") for path in tokens)
    for name, (day, night, plain_day, plain_night) in _COLOURS.items():
        light.append(f"--{name}:{_first(tokens, day, plain_day)}")
        dark.append(f"--{name}:{_first(tokens, night, plain_night) if both_modes else plain_night}")
    light += [f"--{name}:{tokens.get(path, plain)}" for name, (path, plain) in _SHAPES.items()]
    light += [f"--{name}-font:{tokens.get(path, _SYSTEM)}" for name, path in _FAMILIES.items()]
    return (
        f":root{{color-scheme:light dark;{';'.join(light)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{';'.join(dark)}}}}}{_RULES}"
    )


def _first(tokens: Mapping[str, str], names: tuple[str, ...], plain: str) -> str:
    return next((tokens[name] for name in names if name in tokens), plain)


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;background:var(--ground);color:var(--ink);font:400 17px/1.55 var(--body-font);padding:clamp(20px,6vh,72px) 16px 32px}
.sheet{width:100%;max-width:560px;background:var(--card);border:1px solid var(--line);border-top:4px solid var(--accent);border-radius:var(--radius);padding:clamp(24px,5vw,44px)}
.logo{display:block;margin-block-end:32px}
.logo img{display:block;height:auto;width:auto;max-width:220px;max-height:44px}
h1{font:600 clamp(25px,5vw,31px)/1.2 var(--title-font);color:var(--heading);letter-spacing:-.01em;margin:0 0 14px;text-wrap:balance}
h2{font:600 18px/1.35 var(--body-font);color:var(--heading);margin:0}
p{margin:0 0 18px;text-wrap:pretty}
.hint{color:var(--soft);font-size:15px;margin:2px 0 0}
a{color:var(--link);text-underline-offset:.18em}
.done{display:flex;gap:12px;align-items:flex-start;border-inline-start:4px solid var(--good);padding:2px 0 2px 14px;padding-inline:14px 0;margin:0 0 24px;color:var(--ink)}
form{margin:26px 0 0}
button{font:600 17px/1.2 var(--body-font);min-height:50px;padding:12px 26px;border-radius:var(--button);border:2px solid var(--action);background:var(--action);color:var(--onaction);cursor:pointer}
button.quiet{background:transparent;color:var(--link);border-color:var(--line)}
button:hover{filter:brightness(1.08)}
:focus-visible{outline:3px solid var(--link);outline-offset:3px}
.actions{display:flex;flex-wrap:wrap;gap:14px;align-items:center;margin-block-start:28px}
fieldset{border:0;border-block-start:1px solid var(--line);margin:0;padding:20px 0}
legend{float:inline-start;width:100%;padding:0}
legend + *{clear:both}
.ways{display:flex;flex-wrap:wrap;gap:4px 28px;padding-block-start:12px}
label{display:inline-flex;align-items:center;gap:11px;min-height:44px;cursor:pointer}
input[type=checkbox]{appearance:none;flex:none;width:46px;height:27px;margin:0;border-radius:14px;border:2px solid var(--soft);background:transparent;position:relative;cursor:pointer;transition:background .15s}
input[type=checkbox]::before{content:"";position:absolute;inset-block-start:3px;inset-inline-start:3px;width:17px;height:17px;border-radius:50%;background:var(--soft);transition:inset-inline-start .15s}
input[type=checkbox]:checked{background:var(--action);border-color:var(--action)}
input[type=checkbox]:checked::before{inset-inline-start:22px;background:var(--onaction)}
footer{width:100%;max-width:560px;color:var(--soft);font-size:13.5px;line-height:1.5;padding:22px 4px 0}
footer p{margin:0 0 8px}
footer a{color:inherit}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media (forced-colors:active){input[type=checkbox]:checked{forced-color-adjust:none}}
"""
