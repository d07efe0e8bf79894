"""Reads composed output as its recipient would, and amounts back out of it; shares no code with the engine."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pypdfium2

_BIDI = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u200b\u00ad"))
_SPACE = " \u00a0\u202f\u2009"
_NUMBER = (
    rf"(?:\d{{1,3}}(?P<group>[.,'’٬{_SPACE}])\d{{3}}(?:(?P=group)\d{{3}})*(?!(?P=group))[.,٫]\d{{2}}"
    r"|\d{1,2}(?:,\d{2})*,\d{3}\.\d{2}"  # as in India: 1,23,456.78
    r"|\d{1,4}[.,٫]\d{2})"
)
_CURRENCY = r"(?:GBP|UK£|£GB|£|USD|US\$|\$US|\$)"
# In running text a plain blank stands between two numbers; inside one there is a no-break space.
_IN_TEXT = _NUMBER.replace(f"٬{_SPACE}", f"٬{_SPACE[1:]}")
_AMOUNTS = (
    re.compile(rf"[-−]?[{_SPACE}]?{_CURRENCY}[{_SPACE}]?[-−]?{_IN_TEXT}(?!\d)"),  # the currency stands before
    re.compile(rf"(?<![\d.,])[-−]?{_IN_TEXT}[{_SPACE}]?{_CURRENCY}"),  # or after
)

# Languages that write a decimal comma, and where they do not. Arabic differs by country and digits: both are taken.
_COMMA = {
    "cs",
    "da",
    "de",
    "el",
    "es",
    "fi",
    "fr",
    "hu",
    "is",
    "it",
    "lt",
    "lv",
    "nb",
    "nl",
    "no",
    "pl",
    "pt",
    "sv",
    "tr",
}
_POINT_IN = {"de-CH", "de-LI", "it-CH", "es-MX", "es-US"}
# The order of day, month and year in all-numeric dates; day first elsewhere (CLDR 47, also for English in Canada).
_ORDER = {"US": "mdy", "HU": "ymd", "SE": "ymd", "LT": "ymd", "JP": "ymd"}


class Misread(ValueError):
    """The text does not say what it must say, in the form it must have."""


def amounts(text: str, locale: str, like: str) -> Counter[Decimal]:
    """Return every amount of money in a text with how often it stands there.

    Args:
        like: One amount as the text writes it. Why: in "2.55 £15.30" only the locale's habit tells whose sign it is.
    """
    leads = re.match(rf"[-−{_SPACE}]*{_CURRENCY}", _plain(like)) is not None
    return Counter(money(match[0], locale) for match in _AMOUNTS[not leads].finditer(_plain(text)))


def money(text: str, locale: str) -> Decimal:
    """Read one amount: sign, separators and two decimals as the locale writes them.

    Raises:
        Misread: If it is written otherwise.
    """
    clean = _plain(text).strip()
    digits = re.sub(rf"{_CURRENCY}|[-−]", "", clean).strip(_SPACE)
    if not re.fullmatch(_NUMBER, digits):
        raise Misread("no amount in a form that people write")
    language = locale.partition("-")[0]
    comma = language in _COMMA and locale not in _POINT_IN
    if language != "ar" and (digits[-3] == ",") != comma:
        raise Misread(f"the decimal separator is not that of {locale}")
    value = Decimal(re.sub(r"\D", "", digits)) / 100
    return -value if re.search(r"[-−]", clean) else value


def day(text: str, country: str) -> tuple[int, int, int]:
    """Read an all-numeric date in the order of a country; returns year, month, day."""
    numbers = [int(number) for number in re.findall(r"\d+", _plain(text))]
    order = _ORDER.get(country, "dmy")
    if len(numbers) != 3 or (order[0] == "y") != (numbers[0] > 31):
        raise Misread(f"no date in the order {order}")
    parts = dict(zip(order, numbers, strict=True))
    return parts["y"], parts["m"], parts["d"]


def values(text: str, label: str) -> list[str]:
    """Return what stands after a label, wherever a line or a sentence begins with it."""
    found = re.findall(rf"(?m)(?:^|[;.] ){re.escape(label)}[{_SPACE}]?:?\s+([^\n;]+)", text)
    if not found:
        raise Misread(f'nothing is labelled "{label}"')
    return [one.strip() for one in found]


def _plain(text: str) -> str:
    """Drop direction marks, bring digits of every script to 0–9."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text.translate(_BIDI))


@dataclass(frozen=True)
class Mail:
    """What a mail client shows, and what is attached."""

    html: str
    text: str
    attachments: tuple[bytes, ...]


def read_mail(message: bytes) -> Mail:
    """Take a message apart with the standard library."""
    mail = message_from_bytes(message, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    if html is None or text is None:
        raise Misread("the email lacks its HTML or its text part")
    attached = tuple(
        part.get_content() for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"
    )
    return Mail(_html_text(html.get_content()), text.get_content(), attached)


def read_pdf(content: bytes) -> str:
    """Return the text of all pages."""
    document = pypdfium2.PdfDocument(content)
    try:
        return "\n".join(page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document)
    finally:
        document.close()


class _Text(HTMLParser):
    _HIDDEN = frozenset({"style", "script", "head", "title"})
    _INLINE = frozenset({"span", "b", "i", "em", "strong", "a", "bdi"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag not in self._INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden -= 1
        elif tag not in self._INLINE:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"[ \t\r\n]+", " ", data))


def _html_text(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    lines = (line.strip(" ") for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
