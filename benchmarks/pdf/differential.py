"""Filled documents against WeasyPrint's, thousands of them. Exit code 1 on any difference.

    python -m benchmarks.pdf.differential [--documents 5200] [--only real]

Each document is filled, and laid out by WeasyPrint with the same settings; `benchmarks.pdf.comparing` says what is compared.
Pictures of the pages are compared for one of ten, a plain WeasyPrint loop without our settings for one of fifty. A document
that filling leaves to WeasyPrint is a fallback, counted with its reason. Two processes share the work and note every verdict
at once; given again, the command goes on where it stopped, as long as no source was changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeAlias

from benchmarks.bench import machine
from benchmarks.oracle.build import PROJECT
from benchmarks.pdf.arabic import unknown_words
from benchmarks.pdf.comparing import differences
from benchmarks.pdf.corpus import build, parts
from benchmarks.pdf.engines.filled import composer_of, unfilled
from benchmarks.plain_weasyprint import PlainLoop
from ccm.compose import Composer
from ccm.model.definitions import Channel
from ccm.model.records import Communication, Composed, DocumentRendition
from ccm.run.prepare import Prepared

OUT = Path(__file__).resolve().parent.parent / "out"
SHARED = Path(os.environ.get("CCM_SHARED_DATA") or PROJECT.parent / "shared" / "data").resolve()
PICTURES_OF, PLAIN_OF = 10, 50  # one of so many
STATEMENTS = 400  # generated ones that there are
Work: TypeAlias = tuple[str, Prepared, Communication]  # a part's name, what composes its documents, one of them


@dataclass(frozen=True)
class Verdict:
    """What came of one document.

    state: same, differs, fallback, or refused by both.
    detail: What differs, or why it was not filled; no text of the document.
    """

    part: str
    piece_id: str
    state: str
    detail: str = ""
    pages: int = 0
    pictures: bool = False
    plain: bool = False


class Judge:
    """Makes documents both ways; composers stay, so that filling knows what it learned from others."""

    def __init__(self) -> None:
        self._composers: dict[object, tuple[Composer, Composer, PlainLoop]] = {}

    def judge(self, part: str, prepared: Prepared, one: Communication) -> Verdict:
        """Make a document both ways and compare."""
        filling, engine, loop = self._of(prepared)
        (piece,) = one.pieces
        drawn = int.from_bytes(hashlib.sha256(piece.piece_id.encode()).digest()[:4], "big")
        pictures, plain = drawn % PICTURES_OF == 0, drawn % PLAIN_OF == 0
        ours = filling.compose(one)
        reason = ours.slow_paths.get(Channel.DOCUMENT, "")
        if reason:
            return Verdict(part, piece.piece_id, "fallback" if ours.renditions else "refused", reason)
        theirs = engine.compose(one)
        if not ours.renditions or not theirs.renditions:
            same = _codes(ours) == _codes(theirs)
            detail = ", ".join(_codes(theirs)) if same else f"findings {_codes(ours)} instead of {_codes(theirs)}"
            return Verdict(part, piece.piece_id, "refused" if same else "differs", detail)
        mine, its = _document(ours), _document(theirs)
        found = "" if mine.title == its.title else "another title"
        found = found or differences(mine.content, its.content, pictures=pictures)
        if not found and unknown_words(mine.content, lambda: loop.markup(one)):
            found = "Arabic words that the page has not"
        if plain and not found:
            found = differences(mine.content, loop.render(one), pictures=False, structure=False)
            found = f"against the plain loop: {found}" if found else ""
        return Verdict(part, piece.piece_id, "differs" if found else "same", found, mine.pages, pictures, plain)

    def _of(self, prepared: Prepared) -> tuple[Composer, Composer, PlainLoop]:
        template, brand = prepared.template, prepared.brand
        body = template.body(Channel.DOCUMENT)
        key = (str(prepared.workspace.root), template.definition.template, brand.definition.brand, body and body.source)
        if key not in self._composers:
            made = (composer_of(prepared), composer_of(unfilled(prepared)), PlainLoop(prepared))
            self._composers[key] = made
        return self._composers[key]


def _codes(composed: Composed) -> list[str]:
    return sorted({finding.code for finding in composed.findings})


def _document(composed: Composed) -> DocumentRendition:
    (rendition,) = composed.renditions
    assert isinstance(rendition, DocumentRendition)
    return rendition


# ── many, in several processes, going on where it stopped ────────────────────


def main(arguments: list[str] | None = None) -> int:
    """Judge everything and write benchmarks/out/differential.json."""
    options = _options(arguments)
    folder = Path(gettempdir()) / f"ccm-differential-{sources()}-{options.documents}"
    if not (folder / "ready").exists():
        build(folder, SHARED, STATEMENTS)
        (folder / "ready").touch()
    context = multiprocessing.get_context("spawn")
    crew = [
        context.Process(
            target=work, args=(folder, options.documents, number, options.processes, options.only, options.limit)
        )
        for number in range(options.processes)
    ]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    result = {"sources": sources(), **summary(list(journal(folder)))}
    result["complete"] = not any(process.exitcode for process in crew) and not options.only and not options.limit
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "differential.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(result, indent=2, ensure_ascii=False))
    return 1 if result["differences"] or any(process.exitcode for process in crew) else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pdf.differential")
    parser.add_argument("--documents", type=int, default=5200, help="about so many")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="parts whose name has this text")
    parser.add_argument("--limit", type=int, default=0, help="documents of each part at most; 0 for all")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of differential.json")
    return parser.parse_args(arguments)


def sources() -> str:
    """Return a digest of everything that makes documents or compares them."""
    digest = hashlib.sha256()
    for root in ("ccm/compose", "ccm/model", "benchmarks/pdf", "benchmarks/oracle", "templates", "brands", "data"):
        for path in sorted((PROJECT / root).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(PROJECT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def work(folder: Path, documents: int, number: int, processes: int, only: str, limit: int) -> None:
    """Judge this process's share: every so-manieth document of each part, the parts in turn."""
    known = {(one.part, one.piece_id) for one in journal(folder)}
    judge = Judge()
    began, done, bad = time.monotonic(), 0, 0
    with (folder / f"verdicts-{number}.jsonl").open("a", encoding="utf-8") as notes:
        shares = [
            (part.name, prepared, found[: limit or None][number::processes])
            for part in parts(folder, SHARED, documents)
            if only in part.name
            for prepared, found in (part.load(),)
        ]
        for part, prepared, one in in_turn(shares):
            if (part, one.pieces[0].piece_id) in known:
                continue
            verdict = judge.judge(part, prepared, one)
            notes.write(json.dumps(asdict(verdict), ensure_ascii=False) + "\n")
            notes.flush()
            done, bad = done + 1, bad + (verdict.state == "differs")
            if done % 50 == 0:
                pace = done / (time.monotonic() - began)
                print(
                    f"  process {number}: {done} documents, {bad} differ, {pace:.1f} a second",
                    file=sys.stderr,
                    flush=True,
                )


def in_turn(shares: Sequence[tuple[str, Prepared, Sequence[Communication]]]) -> Iterator[Work]:
    """Yield the documents of all parts so that each part is as far as every other.

    Why: A run that is stopped early has seen something of everything.
    """
    places = [(at / len(found), share, at) for share, (_, _, found) in enumerate(shares) for at in range(len(found))]
    for _, share, at in sorted(places):
        name, prepared, found = shares[share]
        yield name, prepared, found[at]


def journal(folder: Path) -> Iterator[Verdict]:
    """Yield the verdicts that were noted; half a line, after a kill, is none."""
    for path in sorted(folder.glob("verdicts-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield Verdict(**json.loads(line))
            except json.JSONDecodeError:
                continue


def summary(verdicts: list[Verdict]) -> dict[str, Any]:
    """Return the counts, the reasons, and every difference."""
    states = Counter(one.state for one in verdicts)
    by_part: dict[str, Counter[str]] = {}
    for one in verdicts:
        by_part.setdefault(one.part, Counter())[one.state] += 1
    fallbacks = Counter(one.detail for one in verdicts if one.state == "fallback")
    sane = [one.state for one in verdicts if not one.part.startswith("hostile") and one.state != "refused"]
    return {
        "machine": machine(),
        "documents": len(verdicts),
        "compared": states["same"] + states["differs"],
        "pages": sum(one.pages for one in verdicts),
        "with_pictures": sum(one.pictures for one in verdicts),
        "with_plain_loop": sum(one.plain for one in verdicts),
        "differences": states["differs"],
        "refused_by_both": states["refused"],
        "fallback_share": round(sane.count("fallback") / max(1, len(sane)), 5),  # hostile ones apart
        "fallback_reasons": dict(fallbacks.most_common()),
        "parts": {name: _counts(found) for name, found in by_part.items()},
        "differing": [asdict(one) for one in verdicts if one.state == "differs"][:200],
    }


def _counts(found: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(found.items()))


if __name__ == "__main__":
    sys.exit(main())
