"""veraPDF over filled documents: real ones, generated ones and all samples. Exit code 1 if a rule is broken.

    python -m benchmarks.pdf.conformance [--real 200]

Every document is validated as PDF/UA-1 and as PDF/A-3a by the veraPDF that the tests use; it needs Java. Writes
benchmarks/out/verapdf.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.oracle.build import PROJECT
from benchmarks.pdf.corpus import build, parts
from benchmarks.pdf.differential import OUT, SHARED
from benchmarks.pdf.engines.filled import composer_of
from benchmarks.pdf.turns import say
from ccm.model.definitions import Channel
from ccm.model.records import DocumentRendition

BATCH = 50  # files in one call of veraPDF, which takes seconds to start
PATIENCE_SECONDS = 1800  # for such a call, on a machine that does other things too
EACH = 3  # documents of each sample, brand and locale


def main(arguments: list[str] | None = None) -> int:
    """Write documents, validate them, and write down what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pdf.conformance")
    parser.add_argument("--real", type=int, default=200, help="filled documents of real data, about")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of verapdf.json")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="ccm-verapdf-") as temporary:
        folder = Path(temporary)
        build(folder, SHARED, 10)
        files = dict(documents(folder, options.real))
        say(f"{len(files)} documents, {sum(files.values())} of them filled")
        result = validated(folder, files)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "verapdf.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    return 1 if result["failures"] else 0


def documents(folder: Path, real: int) -> Iterator[tuple[Path, bool]]:
    """Write documents; yield each with whether it was filled. Real ones that are not filled do not count."""
    target = folder / "documents"
    target.mkdir()
    months = [part for part in parts(folder, SHARED, real * 2) if part.name.startswith(("real ", "store "))]
    each = -(-real // max(1, len(months)))
    for part in (*parts(folder, SHARED, 400), *months):
        is_real = part.name.startswith(("real ", "store "))
        if is_real != (part in months):
            continue
        prepared, found = part.load()
        made = _written(target, part.name, composer_of(prepared), found)
        yield from islice((one for one in made if one[1]), each) if is_real else islice(made, EACH)


def _written(target: Path, name: str, composer: Any, found: Any) -> Iterator[tuple[Path, bool]]:
    for number, one in enumerate(found):
        composed = composer.compose(one)
        for rendition in composed.renditions:
            assert isinstance(rendition, DocumentRendition)
            path = target / f"{name.replace(' ', '-')}-{number}.pdf"
            path.write_bytes(rendition.content)
            yield path, Channel.DOCUMENT not in composed.slow_paths


def validated(folder: Path, files: dict[Path, bool]) -> dict[str, Any]:
    """Return how many files broke a rule of one of the two standards, and which rules."""
    sys.path.insert(0, str(PROJECT / "tests"))
    from tools.verapdf import VeraPdf  # type: ignore[import-untyped, import-not-found, unused-ignore]

    (folder / "java").mkdir()
    validator = VeraPdf(folder / "java")
    failed: Counter[str] = Counter()
    failures: dict[str, list[str]] = {}
    waiting = list(files)
    for flavour in ("ua1", "3a"):
        for start in range(0, len(waiting), BATCH):
            for path, verdict in validator.check(flavour, waiting[start : start + BATCH], PATIENCE_SECONDS).items():
                if not verdict.compliant:
                    failures.setdefault(path.stem, []).append(flavour)
                    failed.update(f"{flavour} {rule}" for rule in verdict.failed)
            say(f"{flavour}: {min(start + BATCH, len(waiting))} of {len(waiting)} validated, {len(failures)} failed")
    return {
        "documents": len(files),
        "filled": sum(files.values()),
        "real_filled": sum(filled for path, filled in files.items() if path.stem.startswith(("real-", "store-"))),
        "failures": len(failures),
        "failed_documents": failures,
        "broken_rules": dict(failed),
    }


if __name__ == "__main__":
    sys.exit(main())
