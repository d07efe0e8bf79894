"""YAML in, text and places out. Scalars stay text; pydantic and the data contract give them their types.

Why: stock YAML reads `NO` as false, `01234` as 668 and `1.10` as 1.1, lets duplicate keys pass and
    spends twelve seconds on 429 bytes of merge keys. This reader builds its own tree from the C
    parser's events, so that depth and size stay bounded while it reads.
Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ccm.diagnostics import Diagnostic, Location

MAX_BYTES = 2_000_000
MAX_DEPTH = 50
MAX_NODES = 100_000  # after aliases and merges are expanded
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_STR_TAG = "tag:yaml.org,2002:str"

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, with the places of what it holds.

    line, column: From 1; of the value's first character.
    key_line, key_column: Of the key in front of it; the value's own where there is none.
    children: By key, or by index from 0.
    block: Whether a scalar is a block (`|` or `>`), whose text starts on the next line.
    """

    line: int
    column: int
    key_line: int
    key_column: int
    children: Mapping[str | int, Place] = field(default_factory=dict)
    block: bool = False


@dataclass(frozen=True)
class YamlFile:
    """A file as read.

    path: As the user knows it.
    data: Text, None, dict or list; None when the file is empty or broken.
    """

    path: str
    data: object
    place: Place

    def at(self, steps: Sequence[str | int], *, key: bool = False) -> Location:
        """Return the place of a value, or of its nearest parent that is in the file.

        Args:
            key: Point at the key in front of the value.
        """
        place = self.place
        for step in steps:
            child = place.children.get(step)
            if child is None:
                key = True
                break
            place = child
        if key:
            return Location(self.path, place.key_line, place.key_column)
        return Location(self.path, place.line, place.column)


class _Refused(Exception):
    """Reading cannot go on; carries what to say."""

    def __init__(self, code: str, message: str, remedy: str, mark: Any) -> None:
        self.parts = (code, message, remedy, mark)
        super().__init__(message)


@dataclass(slots=True)
class _Built:
    """A value with its place and its size after expansion."""

    data: object
    place: Place
    size: int


def read_yaml_file(root: Path, path: str) -> tuple[YamlFile, tuple[Diagnostic, ...]]:
    """Read one file of the workspace.

    Args:
        path: From the root, with "/" between folders.
    """
    try:
        content = (root / path).read_bytes()
    except OSError as error:
        what = Diagnostic(
            "unreadable-file",
            f"the file cannot be read: {error.strerror or type(error).__name__}",
            "check that it exists and that you may read it",
            Location(path),
        )
        return YamlFile(path, None, Place(1, 1, 1, 1)), (what,)
    return read_yaml(content, path)


def read_yaml(content: bytes | str, path: str) -> tuple[YamlFile, tuple[Diagnostic, ...]]:
    """Read YAML; every duplicate key is reported, a syntax error ends the reading.

    Returns:
        The file (its data is None when the syntax is broken) and what is wrong with it.
    """
    empty = YamlFile(path, None, Place(1, 1, 1, 1))
    if len(content) > MAX_BYTES:
        text = f"the file is larger than {MAX_BYTES:,} bytes"
        return empty, (Diagnostic("yaml-limit", text, "split it; tables belong in data files", Location(path)),)
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            remedy = "save the file as UTF-8"
            return empty, (Diagnostic("not-utf8", "the file is not UTF-8", remedy, Location(path, line)),)
    builder = _Builder(path, content)
    try:
        built = builder.document()
    except _Refused as refused:
        code, message, remedy, mark = refused.parts
        return empty, (*builder.diagnostics, Diagnostic(code, message, remedy, _location(path, mark)))
    except yaml.YAMLError as error:
        return empty, (*builder.diagnostics, _syntax_error(error, path, content))
    finally:
        builder.close()
    return YamlFile(path, built.data, built.place), tuple(builder.diagnostics)


def _location(path: str, mark: Any) -> Location:
    return Location(path, mark.line + 1, mark.column + 1) if mark is not None else Location(path)


def _syntax_error(error: yaml.YAMLError, path: str, text: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    location = _location(path, mark)
    problem = getattr(error, "problem", None) or "a character is not allowed here"
    position = getattr(error, "position", None)
    if mark is None and isinstance(position, int):
        before = text[:position]
        location = Location(path, before.count("\n") + 1, position - before.rfind("\n"))
    remedy = "check indentation, colons and quotes here and in the line above"
    if "\t" in problem or "cannot start any token" in problem:
        remedy = "indent with spaces, and put quotes around texts that start with a special character"
    return Diagnostic("yaml-syntax", f"this is not YAML: {problem}", remedy, location)


class _Builder:
    """Builds data and places from parse events, one event ahead, within the limits."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.diagnostics: list[Diagnostic] = []
        self._anchors: dict[str, _Built] = {}
        self._nodes = 0
        self._text = text
        self._parser: Any = None

    def close(self) -> None:
        if self._parser is not None:
            self._parser.dispose()

    def document(self) -> _Built:
        # The loader reads ahead when it is made, so it is made where errors are caught.
        self._parser = _Parser(self._text)
        self._parser.get_event()  # stream start
        if self._parser.check_event(yaml.StreamEndEvent):
            return _Built(None, Place(1, 1, 1, 1), 1)
        self._parser.get_event()  # document start
        built = self._node(0)
        self._parser.get_event()  # document end
        if not self._parser.check_event(yaml.StreamEndEvent):
            mark = self._parser.peek_event().start_mark
            raise _Refused("yaml-syntax", "the file holds a second document", "make it a file of its own", mark)
        return built

    def _node(self, depth: int) -> _Built:
        event = self._parser.get_event()
        mark = event.start_mark
        if depth > MAX_DEPTH:
            text = f"values are nested deeper than {MAX_DEPTH} levels"
            raise _Refused("yaml-limit", text, "make it flatter", mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(1, mark)
        tag = event.tag
        if tag is not None and tag not in ("!", _STR_TAG):
            self._say("yaml-tag", f"the tag {tag} is not allowed", "remove it; types come from the schema", mark)
        if isinstance(event, yaml.ScalarEvent):
            built = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self._sequence(mark, depth)
        else:
            built = self._mapping(mark, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = built
        return built

    def _count(self, size: int, mark: Any) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            text = f"the file expands to more than {MAX_NODES:,} values"
            raise _Refused("yaml-limit", text, "write the values out instead of nesting aliases", mark)

    def _say(self, code: str, message: str, remedy: str, mark: Any) -> None:
        self.diagnostics.append(Diagnostic(code, message, remedy, _location(self.path, mark)))

    def _alias(self, event: Any) -> _Built:
        found = self._anchors.get(event.anchor)
        if found is None:
            text = f'there is no anchor "&{event.anchor}" before this alias'
            raise _Refused("yaml-syntax", text, "define the anchor first, outside of this value", event.start_mark)
        self._count(found.size, event.start_mark)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        return _Built(found.data, Place(line, column, line, column, found.place.children), found.size)

    def _scalar(self, event: Any) -> _Built:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        plain = event.style in (None, "") and event.tag is None
        data = None if plain and event.value in _NULLS else event.value
        return _Built(data, Place(line, column, line, column, block=event.style in ("|", ">")), 1)

    def _sequence(self, mark: Any, depth: int) -> _Built:
        items: list[object] = []
        children: dict[str | int, Place] = {}
        size = 1
        while not self._parser.check_event(yaml.SequenceEndEvent):
            built = self._node(depth + 1)
            children[len(items)] = built.place
            items.append(built.data)
            size += built.size
        self._parser.get_event()
        line, column = mark.line + 1, mark.column + 1
        return _Built(items, Place(line, column, line, column, children), size)

    def _mapping(self, mark: Any, depth: int) -> _Built:
        data: dict[str, object] = {}
        children: dict[str | int, Place] = {}
        merged: list[_Built] = []
        size = 1
        while not self._parser.check_event(yaml.MappingEndEvent):
            key, key_mark, plain = self._key()
            value = self._node(depth + 1)
            size += value.size
            if plain and key == "<<":
                merged.append(value)
                continue
            if key in data:
                first = children[key]
                remedy = f"keep one of them; the first one is in line {first.key_line}"
                self._say("duplicate-key", f'the key "{key}" stands here a second time', remedy, key_mark)
                continue
            data[key] = value.data
            place = value.place
            children[key] = Place(
                place.line, place.column, key_mark.line + 1, key_mark.column + 1, place.children, place.block
            )
        self._parser.get_event()
        for value in merged:
            size += self._merge(value, data, children, mark)
        line, column = mark.line + 1, mark.column + 1
        return _Built(data, Place(line, column, line, column, children), size)

    def _key(self) -> tuple[str, Any, bool]:
        event = self._parser.get_event()
        if not isinstance(event, yaml.ScalarEvent):
            raise _Refused("yaml-syntax", "a key must be a text", "write `name: value`", event.start_mark)
        self._count(1, event.start_mark)
        return event.value, event.start_mark, event.style in (None, "")

    def _merge(self, value: _Built, data: dict[str, object], children: dict[str | int, Place], mark: Any) -> int:
        """Take over the keys that `<<` brings; a key that is there already stays."""
        sources = value.data if isinstance(value.data, list) else [value.data]
        many = isinstance(value.data, list)
        added = 0
        for index, source in enumerate(sources):
            place = value.place.children[index] if many else value.place
            if not isinstance(source, dict):
                location = Location(self.path, place.line, place.column)
                text = "only mappings can be merged with <<"
                self.diagnostics.append(Diagnostic("yaml-syntax", text, "point << at a mapping", location))
                continue
            self._count(len(source), mark)
            for key, item in source.items():
                if key not in data:
                    data[key] = item
                    children[key] = place.children[key]
                    added += 1
        return added
