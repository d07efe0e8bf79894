"""Whether the files that a source names are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ccm.diagnostics import Diagnostic, nearest
from ccm.load.files import inside
from ccm.load.yaml_reader import YamlFile
from ccm.model.definitions import SourceDefinition, TableDefinition


def check_source_files(root: Path, source: SourceDefinition, file: YamlFile) -> Iterator[Diagnostic]:
    """Report each table whose file does not exist; tables behind a url are checked when they are read."""
    for steps, table in _tables(source):
        if table.file is None:
            continue
        place = file.at((*steps, "file") if "file" in _keys(file, steps) else steps)
        path = inside("data", table.file)
        if path is None:
            remedy = "copy the file into data/, or use a url"
            yield Diagnostic("outside-workspace", f'"{table.file}" leads out of the workspace', remedy, place)
        elif not (root / path).is_file():
            folder = (root / path).parent
            there = (
                [item.name for item in folder.iterdir() if item.is_file() and item.suffix != ".yaml"]
                if folder.is_dir()
                else []
            )
            guess = nearest(Path(path).name, there)
            remedy = f'did you mean "{guess}"?' if guess else f"add {path}, or correct the name"
            yield Diagnostic("missing-file", f'there is no file "{table.file}"', remedy, place)


def _keys(file: YamlFile, steps: tuple[str, ...]) -> set[str | int]:
    place = file.place
    for step in steps:
        place = place.children[step]
    return set(place.children)


def _tables(source: SourceDefinition) -> Iterator[tuple[tuple[str, ...], TableDefinition]]:
    yield ("rows",), source.rows
    for name, child in source.children.items():
        yield ("children", name, "rows"), child.rows
    if source.suppressions is not None:
        yield ("suppressions",), source.suppressions
