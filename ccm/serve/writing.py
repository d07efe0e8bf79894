"""The pages that recipients see: unsubscribe and preferences, in their language and in the brand's look."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from ccm.model.definitions import Channel, LocaleTag
from ccm.model.workspace import Brand, Workspace
from ccm.serve.look import Look, LookFile, style_of
from ccm.serve.texts import RIGHT_TO_LEFT, spoken, texts

PLAIN = "-"  # stands for the brand in the address of the plain style sheet
_LINKS = ("home", "privacy")


class Pages:
    """Writes pages for the brands of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._brands = workspace.brands
        self._looks = {name: Look(brand, workspace.library) for name, brand in workspace.brands.items()}
        self._styles: dict[str, str] = {}

    def channels(self, brand: str) -> tuple[Channel, ...]:
        """Return the channels on which a brand writes to people; email alone for a brand that is gone."""
        known = self._brands.get(brand)
        texting = known is not None and known.definition.senders.sms is not None
        return (Channel.EMAIL, Channel.SMS) if texting else (Channel.EMAIL,)

    def file(self, brand: str, name: str) -> LookFile | None:
        """Return a file of a brand's look: style.css, logo, logo-dark or a font; None if there is none."""
        look = self._looks.get(brand)
        if name == "style.css":
            if brand not in self._styles and (look is not None or brand == PLAIN):
                self._styles[brand] = look.style() if look else style_of({})
            style = self._styles.get(brand)
            return LookFile(style.encode(), "text/css") if style is not None else None
        return look.file(name) if look else None

    def write(self, page: str, *, brand: str = "", locale: str, **values: object) -> str:
        """Return a page.

        Args:
            page: Its file below pages/.
            brand: Empty, or unknown by now, for a plain one.
            locale: The recipient's; another language than ours gives English.
        """
        language = spoken(locale)
        known = self._brands.get(brand)
        title = known.definition.title if known else brand
        return _environment().get_template(page).render(
            language=language,
            direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
            look=f"../b/{brand if known else PLAIN}/",
            text=texts(language, title),
            brand=_view(known, self._looks[brand], locale) if known else None,
            **values,
        )  # fmt: skip


def _view(brand: Brand, look: Look, locale: str) -> Mapping[str, object]:
    definition = brand.definition
    language = legal_language(definition.legal, locale)
    return {
        "title": definition.title,
        "alt": definition.logo.alt,
        "dark_logo": look.has_dark_logo,
        "links": [(name, definition.links[name]) for name in _LINKS if name in definition.links],
        "legal": definition.legal[language],
        "legal_language": language,
    }


def legal_language(legal: Mapping[LocaleTag, tuple[str, ...]], locale: str) -> str:
    """Return whose legal lines stand on the page: the locale's, its language's, or the first."""
    if locale in legal:
        return locale
    language = locale.partition("-")[0]
    return next((tag for tag in legal if tag.partition("-")[0] == language), next(iter(legal)))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ccm.serve", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
