"""What is wrong with a source is told before any run, from its headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from source_workspaces import CHILD_HEADER, CONTRACT, HEADER, SOURCE, workspace

from ccm.diagnostics import Diagnostic, Severity
from ccm.load.source.headers import check_source, place_of
from ccm.model.definitions import SourceDefinition, TemplateDefinition


def check(
    root: Path, parent: str = HEADER, child: str = CHILD_HEADER, source: Mapping[str, object] = SOURCE
) -> list[Diagnostic]:
    space = workspace(root, source=source, rows=[])
    (root / "data/customers.csv").write_text(parent + "\n")
    (root / "data/transactions.csv").write_text(child + "\n")
    return list(check_source(space, space.sources["customers"], space.templates["letter"]))


def told(diagnostics: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(one.code, str(one.location)) for one in diagnostics]


def test_a_fitting_source_has_nothing_to_complain_about(tmp_path: Path) -> None:
    """Address columns need no place in the contract."""
    assert check(tmp_path) == []


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Missing columns of the contract and of the source, in both tables, each with the nearest name."""
    found = check(tmp_path, HEADER.replace("balance", "ballance").replace("zone", "timezone"), "id,date,text,amount")
    assert told(found) == [
        ("missing-column", "data/customers.csv:1"),  # zone
        ("unknown-column", "data/customers.csv:1"),  # ballance
        ("missing-column", "data/transactions.csv:1"),  # day: period and order
        ("missing-column", "data/transactions.csv:1"),  # day of the contract
        ("missing-column", "data/customers.csv:1"),  # balance
    ]
    assert "timezone" in found[0].remedy
    assert [one.severity for one in found if one.code == "unknown-column"] == [Severity.WARNING]


def test_columns_that_a_message_does_not_need_are_no_mistake(tmp_path: Path) -> None:
    """Extracts carry more than one template reads; only what looks like a misspelt field is told."""
    assert check(tmp_path, HEADER + "".join(f",extra{number}" for number in range(30))) == []


def test_an_absent_key_column_is_told(tmp_path: Path) -> None:
    """Without the key nothing can be joined."""
    assert told(check(tmp_path, HEADER.replace("id,", "number,")))[0] == ("missing-column", "data/customers.csv:1")


def test_a_first_row_that_is_a_customers_is_not_quoted(tmp_path: Path) -> None:
    """A table whose first row names nothing that is needed may lack its names; what stands there is data."""
    found = check(tmp_path, "7,Ada Byron,ada@example.org,London")
    assert {one.code for one in found if one.location.path == "data/customers.csv"} == {"missing-column"}
    assert not any(word in str(one) for one in found for word in ("Ada", "example.org", "London"))


def test_unreadable_tables_are_told(tmp_path: Path) -> None:
    """An empty, an absent and a strange file each say what they are."""
    source = {**SOURCE, "suppressions": "stop.xls", "children": {"transactions": {"rows": "absent.csv", "key": "id"}}}
    assert told(check(tmp_path, parent="", source=source)) == [
        ("empty-source", "data/customers.csv"),
        ("unreadable-source", "data/absent.csv"),
        ("unknown-format", "data/stop.xls"),
    ]


@pytest.mark.parametrize(
    ("children", "code"),
    [
        ({"transaction": {"rows": "transactions.csv", "key": "id"}}, "unknown-child"),
        ({"transactions": {"rows": "transactions.csv", "key": "id", "single": "true"}}, "child-shape"),
    ],
)
def test_a_child_that_the_contract_does_not_have_is_told(tmp_path: Path, children: object, code: str) -> None:
    """The child's name and shape must be those of a field."""
    found = check(tmp_path, source={**SOURCE, "children": children})
    assert (code, "data/customers.yaml") in told(found)


def test_renames_to_absent_columns_are_told(tmp_path: Path) -> None:
    """A misspelt rename would silently leave a field empty."""
    source = {**SOURCE, "rows": {"file": "customers.csv", "columns": {"points": "poinst"}}}
    found = check(tmp_path, source=source)
    assert [one.code for one in found] == ["missing-column"]
    assert '"points"' in found[0].remedy


def test_rows_as_json_are_checked_by_their_nested_names(tmp_path: Path) -> None:
    """A nested record fills the record of the contract."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/c.jsonl").write_text('{"id": 1, "customer": {"name": "A"}, "balance": 1, "transactions": []}\n')
    source = {"source": "customers", "rows": "c.jsonl", "key": "id", "recipient": {"email": "customer.email"}}
    space = workspace(tmp_path, source=source)
    assert check_source(space, space.sources["customers"], space.templates["letter"]) == ()


def test_columns_find_their_place() -> None:
    """`a.b` is field b of a; a plain column goes into the named record, or to the root where only that has it."""
    fields = TemplateDefinition.model_validate(
        {
            "template": "t",
            "title": "t",
            "purpose": "legal",
            "locales": ["en"],
            "channels": {"required": ["email"]},
            "contract": CONTRACT,
        }
    ).contract
    assert place_of("name", fields, "customer") == ("customer", "name")
    assert place_of("balance", fields, "customer") == ("balance",)
    assert place_of("customer.points", fields, "customer") == ("customer", "points")
    assert place_of("customer.shoe", fields, "customer") is None
    assert place_of("shoe", fields, "customer") is None


def test_the_test_source_is_valid() -> None:
    """The definition above is what people write in YAML."""
    assert SourceDefinition.model_validate(SOURCE).children["transactions"].order == ("day", "amount")
