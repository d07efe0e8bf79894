"""Recipients from tables: joined, typed, placed; a wrong row holds its own recipient and no other."""

from __future__ import annotations

import json
import sqlite3
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from source_workspaces import CHILD_HEADER, HEADER, SOURCE, campaign, row, workspace

from ccm.load.source.recipients import load_recipients
from ccm.load.source.suppressions import load_suppressions
from ccm.load.source.tables import SourceUnreadable
from ccm.model.definitions import Channel, Purpose, SourceDefinition
from ccm.model.records import Consent, Recipient, Suppression
from ccm.model.values import Money
from ccm.model.workspace import Workspace

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def read(space: Workspace, only: str | None = None, occurrence: object = "monthly") -> list[Recipient]:
    return list(load_recipients(space, campaign(occurrence), period=OCTOBER, only=only))


def codes(recipient: Recipient) -> list[str]:
    return [fault.code for fault in recipient.faults]


def test_a_sound_row_becomes_a_typed_recipient(tmp_path: Path) -> None:
    """Address columns, consents and data come typed, from the row and its child rows."""
    space = workspace(tmp_path, rows=[row("C-1", locale="pt_br", country="br")], children=["C-1,2026-10-31,Tea,-1.10"])
    (found,) = read(space)
    assert found.faults == ()
    assert (found.recipient_id, found.locale, found.zone, found.country) == ("C-1", "pt-BR", "Europe/Berlin", "BR")
    assert (found.email, found.phone) == ("C-1@example.org", "+4930123456")
    assert found.consents == (
        Consent(Purpose.MARKETING, Channel.EMAIL, granted=True),
        Consent(Purpose.MARKETING, Channel.SMS, granted=False),
    )
    assert found.data["customer"] == {"name": "Person C-1", "currency": "EUR", "points": 3}
    assert found.data["balance"] == Money(Decimal("12.50"), "EUR")
    assert found.data["transactions"] == (
        {"day": date(2026, 10, 31), "text": "Tea", "amount": Money(Decimal("-1.10"), "EUR")},
    )
    assert str(found.location) == "data/customers.csv:2"


@pytest.mark.parametrize(
    ("day", "joined"),
    [("2026-09-30", 0), ("2026-10-01", 1), ("2026-10-31", 1), ("2026-11-01", 0)],
)
def test_child_rows_of_the_period_are_joined_both_days_inclusive(tmp_path: Path, day: str, joined: int) -> None:
    """A booking of the last day is in, one of the next day is out; scanning one customer gives the same."""
    space = workspace(tmp_path, rows=[row("C-1")], children=[f"C-1,{day},Tea,1.00"])
    for found in (*read(space, only="C-1"), *read(space), *read(space, only="C-1")):
        assert len(found.data["transactions"]) == joined  # type: ignore[arg-type]


def test_period_columns_hold_dates_months_or_times(tmp_path: Path) -> None:
    """Months and date-times count by their day; what is neither holds the recipient, for its period is unknown."""
    source = {**SOURCE, "children": {"transactions": {"rows": "transactions.csv", "key": "id", "period": "when"}}}
    space = workspace(tmp_path, source=source, rows=[row(f"C-{n}") for n in range(1, 6)])
    whens = ["2026-10", "2026-10-31T23:59:59Z", "2026-11", "soon", "2026-02-31"]
    lines = [f"C-{n},2026-10-02,Tea,1.00,{when}" for n, when in enumerate(whens, start=1)]
    (tmp_path / "data/transactions.csv").write_text("\n".join([f"{CHILD_HEADER},when", *lines]))
    found = read(space)
    assert [len(one.data["transactions"]) for one in found[:3]] == [1, 1, 0]  # type: ignore[arg-type]
    assert [codes(one) for one in found] == [[], [], [], ["malformed-row"], ["malformed-row"]]
    assert str(found[3].faults[0].location) == "data/transactions.csv:5"


def test_child_rows_are_ordered_by_value(tmp_path: Path) -> None:
    """Numbers sort as numbers (9 before 10), within equal days; otherwise file order stays."""
    children = [f"C-1,2026-10-0{day},Tea,{amount}" for day, amount in [(2, 10), (2, 9), (1, 100)]]
    (found,) = read(workspace(tmp_path, rows=[row("C-1")], children=children))
    assert [item["amount"].amount for item in found.data["transactions"]] == [100, 9, 10]  # type: ignore[attr-defined]


def test_a_long_child_list_is_joined_whole(tmp_path: Path) -> None:
    """862 lines, the most that one customer-month of the real data has, in file order."""
    children = [f"C-1,2026-10-05,Line {number},{number}.01" for number in range(862)]
    space = workspace(tmp_path, rows=[row("C-1"), row("C-2")], children=children)
    first, second = read(space)
    amounts = [item["amount"].amount for item in first.data["transactions"]]  # type: ignore[attr-defined]
    assert sum(amounts) == Decimal(861 * 862 // 2) + Decimal("0.01") * 862
    assert second.data["transactions"] == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "missing-value"),
        ({"balance": "1.005"}, None),  # more digits than the currency has
        ({"balance": "12,50"}, None),
        ({"points": "many"}, None),
        ({"news": "perhaps"}, "invalid-consent"),
        ({"news": "0001-01-01T00:00:00+14:00"}, "invalid-consent"),  # no such moment in UTC
        ({"locale": "klingon"}, "invalid-locale"),
        ({"channels": "email pigeon"}, "invalid-channel"),
    ],
)
def test_a_wrong_cell_holds_its_recipient_and_no_other(
    tmp_path: Path, change: dict[str, str], code: str | None
) -> None:
    """The fault names file and line, never the value; the rows around it stay sound."""
    if "balance" in change:
        change = {"balance": f'"{change["balance"]}"'}
    found = read(workspace(tmp_path, rows=[row("C-1"), row("C-2", **change), row("C-3")]))
    assert [bool(one.faults) for one in found] == [False, True, False]
    (fault,) = found[1].faults
    assert code is None or fault.code == code
    assert str(fault.location) == "data/customers.csv:3"
    secret = next(iter(change.values())).strip('"')
    assert not secret or secret not in f"{fault.message} {fault.remedy}"


def test_a_wrong_child_cell_is_placed_in_the_child_table(tmp_path: Path) -> None:
    """The owner of the data is sent to the line of the transaction, not of the customer."""
    children = ["C-1,2026-10-01,Tea,1.00", "C-1,2026-10-02,Tea,lots"]
    (found,) = read(workspace(tmp_path, rows=[row("C-1")], children=children))
    assert [str(fault.location) for fault in found.faults] == ["data/transactions.csv:3"]


def test_a_second_row_of_a_key_is_a_duplicate(tmp_path: Path) -> None:
    """The first row stands; every later one says that its key came before."""
    found = read(workspace(tmp_path, rows=[row("C-1"), row("C-2"), row("C-1", name="Other"), row(" C-1")]))
    assert [codes(one) for one in found] == [[], [], ["duplicate-key"], ["duplicate-key"]]


def test_duplicates_are_seen_when_one_customer_is_read(tmp_path: Path) -> None:
    """A preview shows that the customer comes twice."""
    space = workspace(tmp_path, rows=[row("C-1"), row("C-2"), row("C-1")])
    assert [codes(one) for one in read(space, only="C-1")] == [[], ["duplicate-key"]]


def test_a_blank_key_is_held_under_its_line(tmp_path: Path) -> None:
    """A row without a key cannot vanish."""
    found = read(workspace(tmp_path, rows=[row("C-1"), row(""), row("  ")]))
    assert [one.recipient_id for one in found] == ["C-1", "row:3", "row:4"]
    assert [codes(one) for one in found] == [[], ["blank-key"], ["blank-key"]]


def test_a_malformed_row_is_held_and_the_run_goes_on(tmp_path: Path) -> None:
    """The key of a broken row counts when it stands first; nothing of the row is used otherwise."""
    found = read(workspace(tmp_path, rows=[row("C-1"), 'C-2,"open', row("C-3"), "C-4,short", row("C-5")]))
    assert [one.recipient_id for one in found] == ["C-1", "row:3", "C-3", "C-4", "C-5"]
    assert [codes(one) for one in found] == [[], ["malformed-row"], [], ["malformed-row"], []]
    assert found[3].email is None
    assert found[3].data == {}


def test_a_malformed_child_row_holds_everyone_it_may_belong_to(tmp_path: Path) -> None:
    """A transaction that cannot be attributed is not left out of a statement in silence."""
    children = [
        "C-1,2026-10-01,Tea,1.00",
        'C-2,2026-10-01,"Tea,1.00',
        "2026-10-01,C-3,Tea,1.00,x",
        "C-4,2026-10-01,Tea,1.00",
    ]
    space = workspace(tmp_path, rows=[row(f"C-{n}") for n in range(1, 5)], children=children)
    assert [codes(one) for one in read(space)] == [[], ["malformed-row"], ["malformed-row"], []]
    assert codes(read(space, only="C-3")[0]) == ["malformed-row"]


def test_occurrence_by_a_field(tmp_path: Path) -> None:
    """`each` takes its key from the typed data; rows of one customer may repeat, rows of one message may not."""
    contract = {"invoice": {"record": {"number": "code", "day": "date"}}}
    source = {
        "source": "customers", "rows": "invoices.csv", "key": "row", "recipient_id": "customer",
        "record": "invoice", "recipient": {},
    }  # fmt: skip
    space = workspace(tmp_path, source=source, contract=contract)
    lines = [
        "row,customer,number,day",
        "1,C-1,I-1,2026-10-01",
        "2,C-1,I-2,2026-10-02",
        "3,C-1,I-2,2026-10-02",
        "4,,I-4,2026-10-02",
    ]
    (tmp_path / "data/invoices.csv").write_text("\n".join(lines))
    found = read(space, occurrence={"each": "invoice.number"})
    assert [(one.recipient_id, one.occurrence_key) for one in found] == [
        ("C-1", "I-1"), ("C-1", "I-2"), ("C-1", "I-2"), ("row:5", "I-4"),
    ]  # fmt: skip
    assert [codes(one) for one in found] == [[], [], ["duplicate-key"], ["blank-key"]]
    assert [one.occurrence_key for one in read(space, only="C-1", occurrence={"each": "invoice.number"})][:2] == [
        "I-1",
        "I-2",
    ]
    assert [one.recipient_id for one in read(space, only="2", occurrence={"each": "invoice.number"})] == ["C-1"]
    # The first cell of a broken row is the number of an invoice and not of a customer: it must not stand for C-1.
    (tmp_path / "data/invoices.csv").write_text("row,customer,number,day\nC-1,short\nC-1,x\n9,C-1,I-9,2026-10-01\n")
    broken = read(space)
    assert [one.recipient_id for one in broken] == ["row:2", "row:3", "C-1"]
    assert [codes(one)[:1] for one in broken] == [["malformed-row"], ["malformed-row"], []]
    (tmp_path / "data/invoices.csv").write_text("\n".join(lines))
    # The same rows in a monthly campaign: one message per customer, so the second row is one too many.
    assert [codes(one) for one in read(space)][:2] == [[], ["duplicate-key"]]


def as_jsonl(folder: Path) -> dict[str, object]:
    parent = {"id": "C-1", "customer": {"name": "Łucja", "currency": "EUR"}, "balance": 12.50, "email": "a@example.org"}
    (folder / "customers.jsonl").write_text(json.dumps(parent) + "\n", encoding="utf-8")
    child = {"id": "C-1", "day": "2026-10-01", "text": "Tea", "amount": 1.10}
    (folder / "transactions.jsonl").write_text(json.dumps(child) + "\n", encoding="utf-8")
    return {"rows": "customers.jsonl", "child": "transactions.jsonl"}


def as_database(folder: Path) -> dict[str, object]:
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute(
        'CREATE TABLE customers (id TEXT, "customer.name" TEXT, currency TEXT, balance NUMERIC, email TEXT)'
    )
    connection.execute("INSERT INTO customers VALUES ('C-1', 'Łucja', 'EUR', 12.5, 'a@example.org')")
    connection.execute("CREATE TABLE transactions (id TEXT, day TEXT, text TEXT, amount NUMERIC)")
    connection.execute("INSERT INTO transactions VALUES ('C-1', '2026-10-01', 'Tea', 1.1)")
    connection.commit()
    connection.close()
    return {
        "rows": {"url": "sqlite:///shop.db", "table": "customers"},
        "child": {"url": "sqlite:///shop.db", "query": "SELECT * FROM transactions"},
    }


def as_parquet(folder: Path) -> dict[str, object]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'C-1' AS id, {'name': 'Łucja', 'currency': 'EUR'} AS customer,"
            " 12.50::DECIMAL(9,2) AS balance, 'a@example.org' AS email) TO ? (FORMAT parquet)",
            [str(folder / "customers.parquet")],
        )
        connection.execute(
            "COPY (SELECT 'C-1' AS id, DATE '2026-10-01' AS day, 'Tea' AS text, 1.10::DOUBLE AS amount) TO ? (FORMAT parquet)",
            [str(folder / "transactions.parquet")],
        )
    return {"rows": "customers.parquet", "child": "transactions.parquet"}


@pytest.mark.parametrize("make", [as_jsonl, as_database, as_parquet])
@pytest.mark.parametrize("only", [None, "C-1"])
def test_every_kind_of_table_gives_the_same_recipient(
    tmp_path: Path, make: Callable[[Path], dict[str, object]], only: str | None
) -> None:
    """JSON Lines, databases and Parquet give what CSV gives."""
    (tmp_path / "data").mkdir()
    made = make(tmp_path / "data")
    source = {
        "source": "customers", "rows": made["rows"], "key": "id", "recipient": {"email": "email"},
        "children": {"transactions": {"rows": made["child"], "key": "id", "period": "day"}},
    }  # fmt: skip
    (found,) = read(workspace(tmp_path, source=source), only=only)
    assert found.faults == ()
    assert found.email == "a@example.org"
    assert found.data["customer"] == {"name": "Łucja", "currency": "EUR", "points": None}
    assert found.data["balance"] == Money(Decimal("12.50"), "EUR")
    (item,) = found.data["transactions"]  # type: ignore[misc]
    assert item == {"day": date(2026, 10, 1), "text": "Tea", "amount": Money(Decimal("1.10"), "EUR")}


def test_a_single_child_row_is_a_record(tmp_path: Path) -> None:
    """`single` joins one row as a record; a second one is a fault, none leaves an optional record empty."""
    contract = {"customer": {"record": {"name": "text"}}, "adviser": {"type": "record?", "fields": {"name": "text"}}}
    source = {
        "source": "customers", "rows": "customers.csv", "key": "id", "recipient": {},
        "children": {"adviser": {"rows": "advisers.csv", "key": "customer", "single": "true"}},
    }  # fmt: skip
    space = workspace(tmp_path, source=source, contract=contract, rows=[row(f"C-{n}") for n in (1, 2, 3)])
    (tmp_path / "data/advisers.csv").write_text("customer,name\nC-1,Ada\nC-2,Bo\nC-2,Cy\n")
    first, second, third = read(space)
    assert first.data["adviser"] == {"name": "Ada"}
    assert codes(second) == ["several-rows"]
    assert str(second.faults[0].location) == "data/advisers.csv:4"
    assert (third.data["adviser"], third.faults) == (None, ())


def test_times_of_consent(tmp_path: Path) -> None:
    """A time of consent is kept, in UTC; no answer is no consent."""
    (found,) = read(workspace(tmp_path, rows=[row("C-1", news="2025-01-02T03:04:05+01:00", texts="")]))
    assert found.consents == (
        Consent(Purpose.MARKETING, Channel.EMAIL, granted=True, given_at=datetime(2025, 1, 2, 2, 4, 5, tzinfo=UTC)),
        Consent(Purpose.MARKETING, Channel.SMS, granted=False),
    )


def test_blank_address_columns_fall_back(tmp_path: Path) -> None:
    """Defaults of the source fill in; an unknown zone is passed on for plan to judge."""
    rows = [row("C-1", locale="", country="", zone="", email="", phone=""), row("C-2", zone="Mars/Olympus")]
    first, second = read(workspace(tmp_path, rows=rows))
    assert (first.locale, first.zone, first.country, first.email, first.phone) == ("en", "UTC", "DE", None, None)
    assert (first.faults, second.faults) == ((), ())
    assert second.zone == "Mars/Olympus"


def test_one_customer_who_does_not_exist(tmp_path: Path) -> None:
    """Asking for a stranger gives nobody, not an error."""
    assert read(workspace(tmp_path, rows=[row("C-1")]), only="C-9") == []


def test_child_rows_that_the_template_does_not_read_are_left_alone(tmp_path: Path) -> None:
    """One source may serve several templates; another one's broken rows hold nobody here."""
    contract = {"customer": {"record": {"name": "text"}}}
    space = workspace(tmp_path, contract=contract, rows=[row("C-1")], children=['C-1,"open'])
    (found,) = read(space)
    assert (found.faults, dict(found.data)) == ((), {"customer": {"name": "Person C-1"}})


def test_an_absent_child_table_stops_before_the_first_recipient(tmp_path: Path) -> None:
    """Half the data is no data."""
    space = workspace(tmp_path, rows=[row("C-1")])
    (tmp_path / "data/transactions.csv").unlink()
    with pytest.raises(SourceUnreadable) as caught:
        next(load_recipients(space, campaign(), period=OCTOBER))
    assert caught.value.diagnostic.location.path == "data/transactions.csv"


def peak_bytes(root: Path, customers: int) -> int:
    root.mkdir()
    space = workspace(root, rows=[], children=[])
    with (root / "data/customers.csv").open("w") as parents, (root / "data/transactions.csv").open("w") as children:
        parents.write(HEADER + "\n")
        children.write(CHILD_HEADER + "\n")
        for number in range(customers):
            parents.write(row(f"C-{number}") + "\n")
            children.write(f"C-{number},2026-10-01,Tea,1.00\n")
    tracemalloc.start()
    count = sum(not one.faults for one in load_recipients(space, campaign(), period=OCTOBER))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == customers
    return peak


@pytest.mark.timeout(1200)  # tracing slows reading down ten times
def test_memory_does_not_grow_with_the_number_of_customers(tmp_path: Path) -> None:
    """Ten times the customers, with child rows, take the same memory (Python's own, at its peak)."""
    peak_bytes(tmp_path / "warm", 10)
    few, many = peak_bytes(tmp_path / "few", 1_000), peak_bytes(tmp_path / "many", 10_000)
    assert many < few * 1.5 + 1_000_000


def suppressed(root: Path, content: str) -> tuple[Suppression, ...]:
    space = workspace(root, source={**SOURCE, "suppressions": "stop.csv"})
    (root / "data/stop.csv").write_text(content)
    return load_suppressions(space, space.sources["customers"])


def test_suppressions_are_read(tmp_path: Path) -> None:
    """Empty channel or purpose means all of them."""
    found = suppressed(tmp_path, "address,channel,purpose,reason\na@example.org,,,asked\n+4930123,sms,marketing,\n")
    assert found == (
        Suppression("a@example.org", None, None, "asked"),
        Suppression("+4930123", Channel.SMS, Purpose.MARKETING, "suppressed"),
    )


def test_no_suppression_list_suppresses_nobody(tmp_path: Path) -> None:
    """The list is optional."""
    space = workspace(tmp_path)
    assert load_suppressions(space, SourceDefinition.model_validate(SOURCE)) == ()


@pytest.mark.parametrize(
    "content",
    [
        "address\n\n,\n",
        "address,channel\na@example.org,fax\n",
        "email\na@example.org\n",
        'address\n"open\n',
        "",
        "address\nAnna <a@example.org>\n",
        "address\nmailto:a@example.org\n",
        "address\na@example.org b@example.org\n",
        "address\nAnna\n",
    ],
)
def test_an_unusable_suppression_list_stops_everything(tmp_path: Path, content: str) -> None:
    """A row that were skipped would let somebody be written to who must not be."""
    with pytest.raises(SourceUnreadable) as caught:
        suppressed(tmp_path, content)
    assert "example.org" not in str(caught.value)
