"""Expressions that stand inside template.yaml, with their places there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ccm.load.lint.expressions import Reading
from ccm.load.lint.jinja import VariantReading
from ccm.load.lint.parse import parse, parse_expression
from ccm.load.lint.source import Findings, Source
from ccm.load.lint.types import ANY, Scope, Type
from ccm.load.yaml_reader import YamlFile, read_yaml
from ccm.model.workspace import MissingContent, Template, Workspace


@dataclass(frozen=True)
class AuthoredFile:
    """A template.yaml: its text and the places of its values."""

    source: Source
    yaml: YamlFile

    @classmethod
    def of(cls, workspace: Workspace, template: Template) -> AuthoredFile:
        """Read it again from the library, for the places; an absent file has no places."""
        path = f"{template.root}/template.yaml"
        try:
            text = workspace.library.text(path)
        except (MissingContent, UnicodeDecodeError):
            text = ""
        file, _ = read_yaml(text, path)
        return cls(Source.of(path, text), file)

    def offset(self, steps: Sequence[str | int], text: str) -> int:
        """Return where a value's text starts; behind its quote where it has one."""
        place = self.yaml.at(steps)
        start = self.source.offset_of(place.line, place.column)
        found = self.source.text.find(text, start, start + len(text) + 80)
        return found if found >= 0 else start

    def has(self, steps: Sequence[str | int]) -> bool:
        """Tell whether the file has a value there."""
        place = self.yaml.place
        for step in steps:
            if step not in place.children:
                return False
            place = place.children[step]
        return True

    def type_of(
        self, steps: Sequence[str | int], expression: str, names: Mapping[str, Type], title: str, findings: Findings
    ) -> Type:
        """Check one expression and return what it gives."""
        offset = self.offset(steps, expression)
        # Folded and escaped YAML texts differ from what stands in the file: then only the start is known.
        exact = self.source.text.startswith(expression, offset)
        inner = Source(self.source.path, expression)
        found = Findings()
        kind = ANY
        with found.bounded(inner):
            tree = parse_expression(inner, expression, found)
            kind = Reading(inner, found, Scope(dict(names)), title).type_of(tree)
        self._move(inner, found, offset, exact, findings)
        return kind

    def read_text(
        self, steps: Sequence[str | int], text: str, names: Mapping[str, Type], title: str, findings: Findings
    ) -> None:
        """Check a text with Jinja in it."""
        offset = self.offset(steps, text)
        exact = self.source.text.startswith(text, offset)
        inner = Source(self.source.path, text)
        found = Findings()
        with found.bounded(inner):
            parsed = parse(inner, found)
            if parsed is not None:
                VariantReading(inner, found, Scope(dict(names)), title).read(parsed)
        self._move(inner, found, offset, exact, findings)

    def _move(self, inner: Source, found: Findings, offset: int, exact: bool, findings: Findings) -> None:
        for item in found.all():
            shift = inner.offset_of(item.location.line, item.location.column) if exact else 0
            findings.place(replace(item, location=self.source.at(offset + shift)))
