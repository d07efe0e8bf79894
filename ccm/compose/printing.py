"""How a printed value gets onto the page: as it is, escaped later, or as a slot to be filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, TypeVar

import markupsafe
from jinja2.nodes import Impossible
from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from ccm.compose.failure import ComposeFailure, FormatRefused, LimitExceeded
from ccm.model.values import Money

if TYPE_CHECKING:
    from ccm.compose.formats.locale_formats import Formats
    from ccm.compose.translations import Texts

_Value = TypeVar("_Value")

MAX_STEPS = 200_000  # loop rounds, calls and includes of one rendering
MAX_CHARACTERS = 4_000_000  # of one rendering, or of one text made inside it

# What neither HTML, nor a header, nor an SMS can carry: controls but tab and line feed, halves of
# surrogate pairs and the two code points that no text may hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EDGES = " \t\n\f"
# What `escape` does to a text, without an object to remember it by.
escaped: Callable[[str], str] = getattr(markupsafe, "_escape_inner", lambda text: str(escape(text)))


LOOP_MARK = Markup("")  # printed before and behind a loop over table rows; known by its identity


class PrintedPage(str):
    """A page that knows the pieces it was printed in.

    pieces: Texts of templates and printed values in turn; together they are the page. `LOOP_MARK` is among them.
    statics: The texts of templates.
    """

    __slots__ = ("pieces", "statics")

    pieces: Sequence[str]
    statics: Mapping[str, str]


class StaticText(str):
    """Text that authors wrote (brand, catalogue, token): the same for every customer, so never a slot."""

    __slots__ = ()


class Lines(tuple[str, ...]):
    """Several lines: printed with line breaks, looped over one by one."""

    __slots__ = ()


class Printable:
    """Base of our own objects that templates may print and look into.

    shown: The attributes that templates see.
    """

    shown: ClassVar[frozenset[str]] = frozenset()

    def printed(self) -> str:
        """Return the text that `{{ … }}` gives."""
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True)
class Voice:
    """How one communication speaks.

    language: BCP 47 tag of the texts.
    direction: ltr or rtl.
    computed: Amounts and numbers that templates worked out from the data; filled while rendering.
    """

    language: str
    direction: str
    formats: Formats
    texts: Texts
    computed: list[object] = field(default_factory=list, compare=False)


class Rendering:
    """The state of one rendering.

    Args:
        slots: A list to capture values into, in printing order; None prints the values themselves.
        sentinels: What stands for each slot.
        line_break: What `Lines` are joined with.
    """

    __slots__ = ("formats", "line_break", "sentinels", "slots", "steps_left", "voice")

    def __init__(
        self, voice: Voice, line_break: str = "\n", slots: list[str] | None = None, sentinels: tuple[Markup, ...] = ()
    ) -> None:
        self.voice = voice
        self.formats = voice.formats
        self.line_break = line_break
        self.slots = slots
        self.sentinels = sentinels
        self.steps_left = MAX_STEPS

    def mark(self) -> tuple[int, int]:
        """Return where this rendering stands, for `return_to`."""
        return self.steps_left, len(self.voice.computed)

    def return_to(self, mark: tuple[int, int]) -> None:
        """Forget what was spent and noted since a mark."""
        self.steps_left = mark[0]
        del self.voice.computed[mark[1] :]

    def spend(self, steps: int) -> None:
        """Use up some of the steps.

        Raises:
            LimitExceeded: If none are left.
        """
        self.steps_left -= steps
        if self.steps_left < 0:
            raise LimitExceeded("steps", MAX_STEPS)


RENDERING: ContextVar[Rendering] = ContextVar("rendering")
_NOTED = frozenset({Money, Decimal})  # by their very type: this is asked for every row


def noted(value: _Value) -> _Value:
    """Return a value that a template worked out, and remember it: checking must know where an amount comes from."""
    kind = type(value)
    if kind is not int and (kind in _NOTED or isinstance(value, (Money, Decimal))):
        rendering = RENDERING.get(None)
        if rendering is not None:
            rendering.voice.computed.append(value)
    return value


def checked_size(text: str) -> str:
    """Return the text, or raise `LimitExceeded` if it is too long for any message."""
    if len(text) > MAX_CHARACTERS:
        raise LimitExceeded("characters", MAX_CHARACTERS)
    return text


def clean(text: str) -> str:
    """Return text without what no channel can carry; line ends become line feeds."""
    if text.isprintable():  # which nothing is that has to go
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("", text)


def as_text(value: object, formats: Formats) -> str:
    """Return what `{{ value }}` prints when no filter says otherwise.

    Raises:
        ComposeFailure: For a missing value, a list or a record: they have no natural form.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Printable):
        return value.printed()
    if isinstance(value, bool) or value is None:
        raise _unprintable(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return formats.number(value)
    if isinstance(value, Money):
        return formats.money(value)
    if isinstance(value, datetime):
        return formats.datetime(value)
    if isinstance(value, date):
        return formats.date(value)
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError, which names the field
    raise _unprintable(value)


def _unprintable(value: object) -> ComposeFailure:
    if value is None:
        return FormatRefused(
            "missing-value",
            "an empty value is printed",
            'test it with {% if %}, or say what stands there instead: {{ … | default("–") }}',
        )
    kind = {"bool": "a yes/no value", "dict": "a record", "tuple": "a list", "list": "a list"}.get(
        type(value).__name__, f"a value of type {type(value).__name__}"
    )
    return FormatRefused(
        "unprintable-value", f"{kind} is printed, which has no text form", "print one of its fields, or use {% if %}"
    )


def printed_markup(value: object) -> str:
    """Return what `{{ value }}` writes into HTML or MJML: printed, escaped, and as plain text.

    Why: `print_markup` and escaping after it make an object for every value, to remember that it is safe. Here it
        goes out at once.
    """
    kind = type(value)
    if kind is str:
        text: str = value if value.isprintable() else clean(value)  # type: ignore[attr-defined, arg-type, assignment]
    elif kind is Markup:
        return value  # type: ignore[return-value]  # it is a text
    elif kind is StaticText:
        return escaped(str(value))
    elif isinstance(value, Printable) and type(text := value.printed()) is str:
        text = clean(text)
    else:
        return escape(print_markup(value))
    rendering = RENDERING.get()
    slots = rendering.slots
    if slots is None:
        return escaped(text)
    slot = _as_slot(text, slots, rendering.sentinels)
    return slot if type(slot) is Markup else escaped(slot)


def print_markup(value: object) -> str:
    """Print a value into HTML or MJML (Jinja's `finalize`; escaping comes after it)."""
    kind = type(value)
    if kind is Markup or kind is StaticText:
        return value  # type: ignore[return-value]  # both are texts
    rendering = RENDERING.get(None)
    if rendering is None:
        raise Impossible  # Jinja tries constants while compiling; they are printed when rendering
    if kind is Lines:
        line_break = Markup(rendering.line_break)  # noqa: S704  # ours
        return line_break.join(print_markup(line) for line in value)  # type: ignore[attr-defined]
    if isinstance(value, Markup):
        return value
    text = clean(value if kind is str else as_text(value, rendering.formats))  # type: ignore[arg-type]
    slots = rendering.slots
    if slots is None:
        return text
    return _as_slot(text, slots, rendering.sentinels)


def _as_slot(text: str, slots: list[str], sentinels: tuple[Markup, ...]) -> str:
    """Return what stands for a value while capturing.

    Why: Blanks at the edges and empty values change what MJML and HTML make of the place, so they
        belong to the structure and not to the slot.
    """
    core = text.strip(_EDGES)
    if not core:
        return text
    number = len(slots)
    if number >= len(sentinels):
        return text
    slots.append(core)
    if len(core) == len(text):
        return sentinels[number]
    start = text.index(core)
    return Markup(text[:start] + sentinels[number] + text[start + len(core) :])  # noqa: S704  # blanks and a sentinel


def print_plain(value: object) -> str:
    """Print a value into plain text (Jinja's `finalize`)."""
    kind = type(value)
    if kind is StaticText:
        return value  # type: ignore[return-value]
    if isinstance(value, Lines):
        return "\n".join(clean(line) for line in value)
    if kind is str:
        return clean(value)  # type: ignore[arg-type]
    rendering = RENDERING.get(None)
    if rendering is None:
        raise Impossible  # as above
    return clean(as_text(value, rendering.formats))
