"""The sample data: the same every time, right to the penny, wrong only where it says so."""

from __future__ import annotations

import csv
import runpy
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import phonenumbers
import pytest

Rows = list[dict[str, str]]


def read(project: Path, name: str) -> Rows:
    with (project / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by(rows: Rows, column: str) -> dict[str, Rows]:
    groups: dict[str, Rows] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


@pytest.fixture(scope="module")
def faults(project: Path) -> set[str]:
    """Numbers of the customers that are wrong on purpose."""
    return set(runpy.run_path(str(project / "data" / "generate.py"))["FAULTS"])


def test_generating_again_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """The checked-in tables are what the generator makes."""
    subprocess.run([sys.executable, str(project / "data" / "generate.py"), str(tmp_path)], check=True)
    made = sorted(tmp_path.glob("*.csv"))
    assert len(made) == 10
    for path in made:
        assert path.read_bytes() == (project / "data" / path.name).read_bytes(), path.name


def test_every_balance_is_the_one_before_plus_the_line(project: Path, faults: set[str]) -> None:
    """Opening balance plus lines is the closing balance, line by line."""
    lines = by(read(project, "transactions.csv"), "customer_id")
    statements = read(project, "statements.csv")
    assert len(statements) == 240
    for row in statements:
        number = row["customer_id"]
        balance = Decimal(row["opening_balance"])
        assert 25 <= len(lines[number]) <= 51
        for line in lines[number] if number not in faults else ():
            balance += Decimal(line["amount"])
            assert balance == Decimal(line["balance"]), number
        if number not in faults:
            assert balance == Decimal(row["closing_balance"]), number
            assert Decimal(row["opening_balance"]) + Decimal(row["money_in"]) + Decimal(row["money_out"]) == balance


def test_only_the_overdrawn_are_asked_to_pay(project: Path) -> None:
    """A payment slip goes exactly to those whose balance is negative, over exactly that amount."""
    owed = {row["customer_id"]: Decimal(row["amount"]) for row in read(project, "payments.csv")}
    balances = {row["customer_id"]: Decimal(row["closing_balance"]) for row in read(project, "statements.csv")}
    assert owed == {number: -balance for number, balance in balances.items() if balance < 0}
    assert owed
    assert Decimal(0) in {abs(balance) for balance in balances.values()}


def test_bills_add_up(project: Path) -> None:
    """Quantity times price is the line; lines and tax are the total; yen have no decimals."""
    lines = by(read(project, "invoice_lines.csv"), "invoice_number")
    bills = read(project, "invoices.csv")
    assert len(bills) > 70
    for bill in bills:
        unit = Decimal(1) if bill["currency"] == "JPY" else Decimal("0.01")
        rows = lines[bill["invoice.number"]]
        for row in rows:
            exact = Decimal(row["quantity"]) * Decimal(row["unit_price"])
            assert Decimal(row["amount"]) == exact.quantize(unit, ROUND_HALF_UP)
        net = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
        tax = (net * Decimal(bill["invoice.tax_rate"]) / 100).quantize(unit, ROUND_HALF_UP)
        assert (net, tax) == (Decimal(bill["invoice.net"]), Decimal(bill["invoice.tax"]))
        assert net + tax == Decimal(bill["invoice.total"]) == Decimal(bill["payment.amount"])


def test_people_are_as_varied_as_promised(project: Path, faults: set[str]) -> None:
    """240 customers, 6 translated locales and 2 more, one name each; telephones valid but the deliberate one."""
    people = read(project, "customers.csv")
    assert len(people) == 240
    assert len({row["locale"] for row in people}) == 8
    assert len({row["name"] for row in people if row["name"]}) == 239
    wrong = {row["id"] for row in people if not phonenumbers.is_valid_number(phonenumbers.parse(row["phone"]))}
    assert wrong == {"C-1047"} <= faults
    assert [row["id"] for row in people if not row["email"]] == ["C-1013"]


def test_check_digits_are_right(project: Path) -> None:
    """Accounts (ISO 13616) and payment references (ISO 11649) leave the remainder 1."""

    def codes() -> Iterator[str]:
        yield from (row["account.number"] for row in read(project, "customers.csv"))
        for name, column in (("payments.csv", "reference"), ("invoices.csv", "payment.reference")):
            yield from (row[column] for row in read(project, name))

    checked = [code.replace(" ", "") for code in codes()]
    assert len(checked) > 300
    for code in checked:
        digits = "".join(str(int(letter, 36)) for letter in code[4:] + code[:4])
        assert int(digits) % 97 == 1, code
