"""Promise: what was compiled gives the same as Python, to the last bit, and a document hangs on neither."""

from __future__ import annotations

import gc
import hashlib
import math
import os
import random
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
import uharfbuzz as hb
from documents import font_files
from hypothesis import given
from hypothesis import strategies as st

from ccm.compose.document.fill import kernel, kernel_in_python
from ccm.compose.document.fill.run import UNITS, Run
from ccm.compose.document.fill.text.apart import signs_apart
from ccm.compose.document.fill.text.fonts import FontFile
from ccm.compose.document.fill.text.joining import Joiner, joiner
from ccm.compose.document.fill.tree.elements import RowShape

compiled = pytest.mark.skipif(kernel.COMPILED is None, reason="not compiled here")
NAME = next(name for name in font_files() if "Sans-" in name)
WORDS = [
    "REF4711AB/2", "payment,", "Café", "AVATAR", "Łódź", "office", "O’Brien", "£1,234.50", "−3", "5", "To.", "Ta",
    "(17)", "a-b/c", "№7", "½", "x²", "日本", "مرحبا", "e\u0301", "Yes!", "a\u00a0b", "12:30", "fi", "ﬁ", "\U0001f600", "",
]  # fmt: skip


def shape(text: str, script: str) -> Run:
    """Shape a text as a style does."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    if script:
        buffer.script = script
    buffer.guess_segment_properties()
    font = hb.Font(hb.Face(font_files()[NAME]))
    font.scale = (12 * UNITS, 12 * UNITS)
    hb.shape(font, buffer, {})
    infos = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    glyphs = tuple((info.codepoint, position.x_advance, 0) for info, position in infos)
    if not all(glyph for glyph, _, _ in glyphs):  # another font would be asked; such a text has parts of several fonts
        return Run(text, (), 0.0, 0, 12.0, parts=(None,))  # type: ignore[arg-type]  # one that nobody looks at
    return Run(text, glyphs, sum(advance for _, advance, _ in glyphs) / UNITS, 0, 12.0)


def joiners() -> tuple[Joiner, Any]:
    """Return what joins texts, in Python and compiled."""
    content = font_files()[NAME]
    font = FontFile(content, hb.Face(content))
    parts = (signs_apart(content, frozenset()), shape, font, 0, 12.0)
    other = joiner(*parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "COMPILED", None)
        return joiner(*parts), other


def told(run: Run | None) -> object:
    """Return all that matters of a run."""
    return run and (run.text, run.width, run.shown, run.rare, run.face, run.size, run.rise, run.parts, run.glyphs)


def a_run(rng: random.Random) -> Run:
    """Return some run."""
    parts: Any = (None,) if rng.random() < 0.05 else ()
    rare = frozenset([7]) if rng.random() < 0.2 else frozenset()
    shown = b"[<%04x>]TJ" % rng.randrange(65536) if rng.random() < 0.8 else b""
    return Run("x", (), rng.uniform(0, 300), rng.randrange(3), 12.0, shown, None, parts, rare)


def test_it_is_compiled_where_there_is_a_compiler() -> None:
    """Setting up does that; a note on the terminal says if it failed."""
    if shutil.which("cc") is None:
        pytest.skip("no compiler here")
    if os.environ.get("CCM_WITHOUT_KERNEL"):
        pytest.skip("built without it")
    assert kernel.COMPILED is not None


@compiled
@given(st.lists(st.floats(), max_size=40))
def test_numbers_are_written_as_python_writes_them(numbers: list[float]) -> None:
    """Whatever number: not a number, without end, minus nought."""
    numbers = [*numbers, *[0.0] * (-len(numbers) % 4)]
    assert kernel.show_areas(numbers) == kernel_in_python.show_areas(numbers)


@compiled
def test_numbers_between_two_results_are_rounded_as_python_rounds_them() -> None:
    """Ties and their nearest neighbours, where a shortcut would go wrong."""
    rng = random.Random(1)
    ties = [rng.randrange(10**9) / 1000 + 0.0005 for _ in range(20_000)]
    near = [math.nextafter(one, way) for one in ties for way in (-math.inf, math.inf)]
    numbers = [*ties, *near, *[-one for one in ties], *(rng.uniform(-2000, 2000) for _ in range(20_000))]
    assert kernel.show_areas(numbers) == kernel_in_python.show_areas(numbers)


@compiled
def test_texts_are_joined_alike() -> None:
    """Words, numbers, signs of other scripts and signs that the font lacks."""
    rng = random.Random(2)
    ours, compiled_one = joiners()
    texts = [" ".join(rng.choices(WORDS, k=rng.randrange(1, 6))) for _ in range(3_000)]
    texts += [a + b for a, b in pairwise(texts)] + ["x" * 600 + " y", " ", "\udc80 a", "a\tb"]
    texts = [text for text in texts if text]
    for number, text in enumerate(texts):
        if number % 997 == 0:
            ours.forget()
            compiled_one.forget()
        assert told(compiled_one.run(text)) == told(ours.run(text)), text


@compiled
def test_what_is_remembered_stays_bounded_and_right() -> None:
    """More words than are remembered, and those of the beginning again."""
    ours, compiled_one = joiners()
    words = [
        f"{a}{b}{c} 1" for a in "ABCDEFGHIJKLMNOPQRSTVWXYZ" for b in "abcdefghijklmnopqrstuvwxyz" for c in "aeiouäé"
    ]
    assert len(words) > 4_000
    for word in [*words, *words[:50]]:
        assert told(compiled_one.run(word)) == told(ours.run(word))


@compiled
def test_columns_are_read_alike() -> None:
    """What was met twice, once and never; texts that are none as they stand go to the caller."""
    rng = random.Random(3)
    ours, compiled_one = joiners()
    asked: list[str] = []

    def other(source: str) -> object:
        asked.append(source)
        return None if not source.strip() else told(ours.run(source.strip())) or "shaped"

    for most in ((40, 20), (10_000, 10_000)):
        _compare_columns(rng, ours, compiled_one, other, most)
    assert {" x", "y ", "a  b", "a&amp;b", "a\nb", ""} <= {*asked}


def _compare_columns(rng: random.Random, ours: Joiner, compiled_one: Any, other: Any, most: tuple[int, int]) -> None:
    states: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (({}, {}), ({}, {}))
    for _ in range(200):
        words = [*WORDS, " x", "y ", "a  b", "a&amp;b", "a\nb", f"£{rng.randrange(10**6):,}.00"]
        column = tuple(rng.choice(words) for _ in range(rng.randrange(1, 30)))
        first = ours.contents(column, *states[0], other, *most)
        second = compiled_one.contents(column, *states[1], other, *most)
        assert [told(one) if isinstance(one, Run) else one for one in second] == first
        if most[0] > 40:  # those that are forgotten are not the same
            assert [one.keys() for one in states[0]] == [one.keys() for one in states[1]]


@compiled
def test_rows_are_placed_and_shown_alike() -> None:
    """One line or several, nothing in a cell, texts that must go another way."""
    rng = random.Random(4)
    form = b"/Span<</MCID %d>>BDC\nBT\n1 0 0 -1 %.3f %.3f Tm\n%b\nET\n"
    for _ in range(2_000):
        cells = rng.randrange(1, 7)
        contents: Any = tuple(
            rng.choice([None, a_run(rng), a_run(rng), "x" if rng.random() < 0.05 else None]) for _ in range(cells)
        )
        lines: Any = None
        if rng.random() < 0.4:
            lines = [tuple(a_run(rng) for _ in range(rng.randrange(4))) for _ in range(cells)]
            if rng.random() < 0.2:
                lines[0] = rng.choice([[], [object()]])
        baselines, heights = (tuple(rng.uniform(0, 20) for _ in range(cells)) for _ in range(2))
        places = [(rng.uniform(0, 500), rng.uniform(0, 200), rng.choice([0, 0.5, 1.0, 0.0])) for _ in range(cells)]
        first: list[list[Any]] = [[1.0], [2.0], [a_run(rng)]]
        second = [list(one) for one in first]
        row: Any = (contents, lines, baselines, rng.uniform(0, 900), places, heights)
        assert kernel.place_row(*row, *first) == kernel_in_python.place_row(*row, *second)
        assert first == second
        assert kernel.widest(tuple(contents)) == kernel_in_python.widest(tuple(contents))
        forms = [form] * len(first[0])

        def show(run: Run) -> None:
            run.shown = b"[<shown>]TJ"

        assert kernel.show_rows(forms, 5, *first, show) == kernel_in_python.show_rows(forms, 5, *second, show)


@compiled
def test_words_of_columns_are_measured_alike() -> None:
    """Known words, unknown ones, two blanks, other contents than runs."""
    rng = random.Random(6)
    words = {word: rng.uniform(1, 50) for word in WORDS if word and " " not in word}
    for _ in range(1_000):
        texts = [
            " ".join(rng.choices([*words, "unknown", "", "é!"], k=rng.randrange(1, 5))) for _ in range(rng.randrange(6))
        ]
        column = tuple([Run(text, (), rng.uniform(0, 80), 0, 12.0) for text in texts] + [None] * (rng.random() < 0.1))
        assert kernel.narrowest(column, words) == kernel_in_python.narrowest(column, words)
    assert kernel.narrowest((Run("\udc80 a", (), 5.0, 0, 12.0),), {})[0] == 0.0


@compiled
def test_rows_of_a_source_are_read_alike() -> None:
    """Rows of several shapes in any order, and all that ends them; from any place, beside signs of several bytes."""
    rng = random.Random(7)
    shapes = [
        RowShape("<tr>", ("<td>", '<td class="é">')),
        RowShape('<tr class="a">', ("<td>", "<td>")),
        RowShape("<tr>", ("<th scope='row'>", "<td>", "<td>")),
        RowShape("<tr>", ()),
    ]
    cells = ["", "x", "£5 ", "日本", "&amp;", "a>b", " \n"]
    for _ in range(3_000):
        source = rng.choice(["", "<p>é£日</p>", "x"])
        start = len(source)
        for _ in range(rng.randrange(6)):
            shape = rng.choice(shapes)
            blank = [rng.choice(["", " ", "\n\t", "\f"]) for _ in range(9)]
            inside = [
                f"{end.decode()}{rng.choice(cells) if at % 2 == 0 else blank.pop()}"
                for at, end in enumerate(shape.literals[1:-1])
            ]
            source += (
                shape.literals[0].decode()
                + blank.pop()
                + "".join(inside)
                + rng.choice(["</tr>"] * 9 + ["</TR>", "", "x</tr>"])
            )
            source += blank.pop()
        source += rng.choice(["", "<tr", "</table>é", "\udc80"])
        given = rng.sample(shapes, rng.randrange(len(shapes) + 1))
        found: list[Any] = []
        for read in (kernel.read_rows, kernel_in_python.read_rows):
            order, rows = list(given), []  # type: ignore[var-annotated]  # of any rows
            reached = read(source, start, order, rows)
            if "\udc80" in source and read is kernel.read_rows:  # left to Python
                assert (reached, rows) == (start, [])
                break
            found.append((reached, rows, order))
        assert len(found) != 2 or found[0] == found[1]


class _Group:
    """What rows stand in."""


class _Kind:
    """A kind of row."""

    def __init__(self, data: bool, cells: int) -> None:
        self.data, self.heights = data, tuple([9.0] * cells)
        self.stripes: dict[Any, str] = {}


class _Row:
    """A row, and its own element."""

    def __init__(self, rng: random.Random, group: _Group, kind: _Kind, counts: tuple[int, ...]) -> None:
        self.element = self
        self.above = ref(group)
        self.kind, self.counts, self.form = kind, counts, (kind, rng.randrange(3))
        self.contents = tuple([a_run(rng) for _ in counts])
        self.lines = None
        self.baselines = tuple([rng.uniform(0, 9) for _ in counts])


@compiled
def test_rows_that_go_on_alike_are_placed_at_once() -> None:
    """And the first that does not is left: another group, an unknown form or kind, header cells far down, other texts."""
    rng = random.Random(8)
    for _ in range(500):
        groups = [_Group(), _Group()]
        kinds = [_Kind(rng.random() < 0.8, 2), _Kind(True, 3)]
        rows: list[Any] = []
        for _ in range(rng.randrange(2, 12)):
            kind = rng.choice(kinds)
            rows.append(_Row(rng, groups[rng.random() < 0.1], kind, (1,) * len(kind.heights)))
        tops = [rng.uniform(0, 900) for _ in [*rows, None]]
        says = [rng.choice(["a", "b"]) for _ in rows]
        places = {row.form: [(1.0, 2.0, 0.5)] * len(row.counts) for row in rows if rng.random() < 0.9}
        for row, said in zip(rows, says, strict=True):
            if rng.random() < 0.9:
                row.kind.stripes[row.counts, said] = f"{id(row.kind)} {said}"
        named = rng.choice([50, 3])
        lists: list[list[Any]] = [[], [], [], []]
        end = kernel.place_rows(rows, tops, says, 1, named, places, *lists)
        expected: list[list[Any]] = [[], [], [], []]
        at = 1
        while at < len(rows):
            row, key = rows[at], (rows[at].counts, says[at])
            if row.above is not rows[at - 1].above or not (row.kind.data or at < named):
                break
            if row.form not in places or key not in row.kind.stripes:
                break
            if not kernel_in_python.place_row(
                row.contents, row.lines, row.baselines, tops[at], places[row.form], row.kind.heights, *expected[1:]
            ):
                break
            expected[0].append(row.kind.stripes[key])
            at += 1
        assert (end, lists) == (at, expected)
    assert kernel_in_python.place_rows([], [], [], 7, 0, {}, [], [], [], []) == 7


@compiled
def test_what_makes_no_sense_is_an_error() -> None:
    """And no crash, whatever is given."""
    run = Run("x", (), 1.0, 0, 12.0, b"x")
    for wrong in ([b"%d %d %d"], [b"%s"], [b"%"], [], ["%b"], [b"%b%b"]):
        with pytest.raises((ValueError, TypeError)):
            kernel.show_rows(wrong, 0, [1.0], [1.0], [run], print)  # type: ignore[arg-type]
    for places in ([("a", 1.0, 1.0)], [(1.0, 1.0)], [1.0], []):
        with pytest.raises((ValueError, TypeError)):
            kernel.place_row((run,), None, (1.0,), 0.0, places, (1.0,), [], [], [])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        kernel.show_rows([b"%b"], 0, [1.0], [1.0], [object()], print)  # type: ignore[list-item]
    with pytest.raises(TypeError):
        kernel.show_areas((1.0,))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Run(1, (), 1.0, 0, 12.0)  # type: ignore[arg-type]
    _, compiled_one = joiners()
    with pytest.raises(TypeError):
        compiled_one.run(5)
    with pytest.raises(AttributeError):
        kernel.place_rows([1, 2], [1.0, 1.0], [1, 1], 1, 9, {}, [], [], [], [])
    with pytest.raises(ValueError, match="each row has a place"):
        kernel.place_rows([1, 2], [1.0], [1, 1], 1, 9, {}, [], [], [], [])
    with pytest.raises(AttributeError):
        kernel.read_rows("<tr>", 0, [1], [])
    with pytest.raises(TypeError):
        kernel.narrowest((Run("x", (), 1.0, 0, 12.0),), {"x": "y"})  # type: ignore[dict-item]
    with pytest.raises(ZeroDivisionError):
        compiled_one.contents(("a&b",), {}, {}, lambda source: 1 / 0, 10, 10)


@compiled
def test_nothing_is_kept_that_nobody_needs() -> None:
    """The same work again and again takes no more memory."""
    ours = joiners()[1]
    rng = random.Random(5)
    shape = RowShape("<tr>", ("<td>",))
    group, kind = _Group(), _Kind(True, 2)
    kind.stripes[(1, 1), "a"] = "stripe"
    rows = [_Row(rng, group, kind, (1, 1)) for _ in range(3)]
    places: Any = {row.form: [(1.0, 2.0, 0.5)] * 2 for row in rows}

    def work() -> None:
        column = (*WORDS, "a&b", "2,5")
        ours.contents(column, {}, {}, lambda source: None, 100, 100)
        for _ in range(20):
            first: list[list[Any]] = [[], [], []]
            runs = (a_run(rng), a_run(rng))
            kernel.place_row(runs, None, (1.0, 2.0), 3.0, [(1.0, 2.0, 0.5)] * 2, (9.0, 9.0), *first)
            kernel.show_rows([b"%d %.3f %.3f %b\n"] * len(first[0]), 0, *first, lambda run: setattr(run, "shown", b"x"))
            kernel.show_areas([1.0, 1e9, -0.5, 2.0])
            kernel.widest(runs)
            kernel.narrowest(runs, {"x": 1.0})
            kernel.read_rows("<tr><td>é</td></tr> <tr><td></td></tr>", 0, [shape], [])
            kernel.place_rows(rows, [1.0] * 4, ["a"] * 3, 1, 9, places, [], [], [], [])
        ours.forget()

    for _ in range(20):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(200):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 100


FILLED = """
import sys
if sys.argv[1] == "python":
    sys.modules["ccm.compose.document.fill._kernel"] = None
import hashlib
from pathlib import Path
from benchmarks.pdf import bank
from benchmarks.pdf.engines.filled import Engine
engine = Engine(bank.build(Path(sys.argv[2]), 12))
digest = hashlib.sha256()
for communication in engine.communications():
    for rendition in engine.composer.compose(communication).renditions:
        digest.update(rendition.content)
print(digest.hexdigest())
"""


@compiled
def test_documents_have_the_same_bytes_without_it(tmp_path: Path, project: Path) -> None:
    """A batch that began on a machine with a compiler may be made again on one without."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", FILLED, how, str(tmp_path / how)],
            cwd=project,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for how in ("python", "compiled")
    }
    assert len(digests) == 1
    assert hashlib.sha256().hexdigest() not in next(iter(digests))
