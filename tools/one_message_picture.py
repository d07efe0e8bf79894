"""Make docs/images/one-message.png: one real message of the sample on four channels, side by side.

    .venv/bin/python tools/one_message_picture.py [CUSTOMER]

It calls `ccm preview`, sets the results into one page and lets headless Chromium photograph it. Needs chromium,
which nothing else in the project does; run it again when the sample's look changes.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "one-message.png"
CUSTOMER = "C-1008"
AS_OF = "2026-11-02T11:30Z"
SIZE = (1600, 980)
FACE = """@font-face { font-family: Plex; font-weight: %s; src: url("%s"); }"""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
%(faces)s
* { box-sizing: border-box; margin: 0; }
body { width: 1600px; height: 980px; background: #e9eff4; font-family: Plex, sans-serif; color: #12243a; overflow: hidden; }
main { display: grid; grid-template-columns: 376px 578px 416px; gap: 51px; padding: 64px 64px 0; }
.right { display: grid; gap: 34px; align-content: start; }
figure { display: block; }
figcaption { font-size: 19px; font-weight: 600; margin-bottom: 16px; display: flex; justify-content: space-between; }
figcaption span { font-weight: 400; color: #52657a; font-size: 16px; align-self: end; }
.phone { width: 376px; height: 812px; border-radius: 44px; background: #0b1a2c; padding: 11px; box-shadow: 0 18px 44px #0b254530; }
.screen { width: 354px; height: 790px; border-radius: 34px; overflow: hidden; background: #fff; }
.mail { font-size: 13px; padding: 18px 22px 12px; border-bottom: 1px solid #d2dee8; }
.mail strong { display: block; font-size: 16px; font-weight: 600; }
.mail p { color: #52657a; margin-top: 2px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
iframe { width: 390px; height: 800px; border: 0; transform: scale(.9077); transform-origin: 0 0; }
.sheet { position: relative; height: 812px; }
.sheet img { position: absolute; width: 546px; background: #fff; box-shadow: 0 14px 38px #0b254526; }
.sheet .back { left: 32px; top: 40px; opacity: .85; } .sheet .front { left: 0; top: 0; }
.bubbles { background: #fff; border-radius: 26px; padding: 24px 26px 26px; box-shadow: 0 12px 34px #0b25451c; }
.bubbles h2 { font-size: 15px; font-weight: 600; text-align: center; margin-bottom: 14px; }
.bubble { background: #e6ebf0; border-radius: 20px 20px 20px 5px; padding: 13px 17px; font-size: 17px; line-height: 1.42; overflow-wrap: anywhere; }
.post { background: #fff; border-radius: 26px; overflow: hidden; box-shadow: 0 12px 34px #0b25451c; }
.who { display: flex; gap: 13px; align-items: center; padding: 20px 24px 12px; font-size: 16px; line-height: 1.25; }
.who img { width: 44px; height: 44px; border-radius: 12px; object-fit: cover; object-position: left; }
.who b { font-weight: 600; display: block; } .who span { color: #52657a; font-size: 14px; }
.post p { padding: 0 24px 16px; font-size: 16.5px; line-height: 1.42; overflow-wrap: anywhere; } .post .card { width: 100%%; display: block; }
a { color: #0a5c8f; text-decoration: none; }
</style><main>
<figure><figcaption>Email <span>with the PDF attached</span></figcaption>
<div class="phone"><div class="screen"><div class="mail"><strong>%(subject)s</strong><p>%(sender)s</p></div>
<iframe src="email.html" scrolling="no"></iframe></div></div></figure>
<figure><figcaption style="width: 546px">Document <span>PDF/A-3a and PDF/UA-1, %(pages)s pages</span></figcaption>
<div class="sheet"><img class="back" src="document-2.png" alt=""><img class="front" src="document-1.png" alt=""></div></figure>
<div class="right">
<figure><figcaption>SMS <span>%(segments)s</span></figcaption>
<div class="bubbles"><h2>%(sms_sender)s</h2><div class="bubble">%(sms)s</div></div></figure>
<figure><figcaption>Social post <span>Mastodon, with its card</span></figcaption>
<div class="post"><div class="who"><img src="logo.png" alt=""><div><b>%(brand)s</b><span>@northwind@social.northwind.example</span></div></div>
<p>%(post)s</p><img class="card" src="card.mastodon.png" alt=""></div></figure>
</div></main></html>"""


def main(customer: str = CUSTOMER) -> None:
    """Make the picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("chromium is missing: apt-get install chromium")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        preview(customer, folder)
        (folder / "picture.html").write_text(page(folder), encoding="utf-8")
        subprocess.run(photograph(chromium, folder), check=True, capture_output=True)  # noqa: S603 - our own arguments
        PICTURE.parent.mkdir(exist_ok=True)
        # A palette keeps the file small; 256 colours are enough for flat areas and text.
        picture = Image.open(folder / "picture.png").convert("RGB")
        picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1000} kB")


def preview(customer: str, folder: Path) -> None:
    """Compose the customer's message; a finding that only warns is fine here."""
    ccm = Path(sys.executable).with_name("ccm")
    command = [str(ccm), "preview", "october-statement", "--customer", customer, "--as-of", AS_OF, "--out", str(folder)]
    subprocess.run([*command, "--workspace", str(ROOT)], check=True, capture_output=True)  # noqa: S603 - our own arguments
    shutil.copy(ROOT / "brands" / "northwind-bank" / "logo-email.png", folder / "logo.png")


def page(folder: Path) -> str:
    """Return the page that shows the four side by side."""
    fonts = ROOT / "brands" / "northwind-bank" / "fonts"
    faces = {"400": "IBMPlexSans-Regular.ttf", "600": "IBMPlexSans-SemiBold.ttf"}
    mail = (folder / "email.html").read_text(encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", mail, re.S)
    sms = (folder / "sms.txt").read_text(encoding="utf-8").strip()
    return PAGE % {
        "faces": "\n".join(FACE % (weight, (fonts / file).as_uri()) for weight, file in faces.items()),
        "subject": title[1] if title else "",
        "sender": "Northwind Bank &lt;service@northwind.example&gt;",
        "brand": "Northwind Bank",
        "sms_sender": "Northwind",
        "sms": linked(sms),
        "segments": f"{len(sms)} characters, {1 if len(sms) <= 160 else 2} segment",
        "post": linked((folder / "social.mastodon.txt").read_text(encoding="utf-8").strip()),
        "pages": len(list(folder.glob("document-*.png"))),
    }


def linked(text: str) -> str:
    """Return text as HTML with its addresses as links."""
    return re.sub(r"(https://\S+)", r"<a>\1</a>", html.escape(text)).replace("\n", "<br>")


def photograph(chromium: str, folder: Path) -> list[str]:
    """Return the command that photographs the page at one and a quarter of its size."""
    return [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
        "--force-device-scale-factor=1.25", f"--window-size={SIZE[0]},{SIZE[1]}", "--virtual-time-budget=4000",
        f"--screenshot={folder / 'picture.png'}", (folder / "picture.html").as_uri(),
    ]  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:2])
