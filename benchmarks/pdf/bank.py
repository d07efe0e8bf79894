"""Statements of an invented bank: one workspace for ccm, and the same values as JSON lines for everybody else.

Every statement has 40 to 50 entries, an address, sums, wrapping descriptions, and legal words at the
end; most have three pages. The values are drawn once from a seed, so that every engine and every machine sets the same.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CAMPAIGN = "october-statements"
FONTS = ("IBMPlexSans-Regular.ttf", "IBMPlexSans-SemiBold.ttf")
JSON_LINES = "statements.jsonl"  # beside the workspace's own folders; ccm does not look at it

Statement: TypeAlias = dict[str, object]
Values: TypeAlias = dict[str, str]

_FIRST = (
    "Ada Björn Chloé Dermot Elżbieta Ferenc Grace Håkon Inês Jürgen Łucja María Noor Oisín Priya Raúl Siân Tomáš Zoë"
)
_LAST = "Abbott Berg Čapek Dvořák Evans Fournier García Høst Jäger Kowalska Lindqvist Müller Núñez O’Brien Peña Szabó"
_STREETS = "Harbour Row,Mill Lane,St Mary’s Street,Station Road,The Crescent,Church Hill,Victoria Avenue,Quay Street"
_CITIES = "Bristol BS1 4QD,Leeds LS2 9JT,Cardiff CF10 3AT,Glasgow G1 1XQ,Norwich NR1 3JG,Exeter EX4 3LS,York YO1 7HH"
_SHOPS = (
    "Greengrocer & Sons,Corner Café,Harbour Books,Rail tickets online,City Parking,Pharmacy at the Market,Fuel station A38,"
    "Cinema Royal,Garden Centre Ashton,Hardware Fisher,Bakery Levain,Fishmonger Quay,Wine Cellar,Gym Membership"
)
_LONG = (
    "Standing order to the housing association for rent and service charge, flat 12",
    "International card payment, Café de la Gare, Lyon, 43.10 EUR at 0.8612 with no fee",
    "Direct debit of the energy supplier, budget plan, adjusted after the yearly reading in September",
    "Refund of a returned order, parcel 4471-90, less the costs of sending it back",
)


SEED = 2026


def build(folder: Path, count: int, seed: int = SEED) -> Path:
    """Write the workspace and the JSON lines anew, with so many statements; return the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "workspace", folder)
    (folder / "brands/north-bank/fonts").mkdir()
    for name in FONTS:
        shutil.copy(PROJECT / "brands/northwind-bank/fonts" / name, folder / "brands/north-bank/fonts")
    everything = list(statements(count, seed))
    write_tables(folder / "data", everything)
    with (folder / JSON_LINES).open("w", encoding="utf-8") as lines:
        for one in everything:
            lines.write(json.dumps(one, ensure_ascii=False) + "\n")
    return folder


def renew(folder: Path, count: int, seed: int) -> None:
    """Put other statements into the tables, which nobody has met before."""
    write_tables(folder / "data", list(statements(count, seed)))


def statements(count: int, seed: int) -> Iterator[Statement]:
    """Draw statements; amounts are texts with two decimals, days are ISO, as a table gives them."""
    draw = random.Random(seed)
    for number in range(count):
        opening = Decimal(draw.randint(-50_000, 900_000)) / 100
        entries = list(_entries(draw, opening, draw.randint(40, 50)))
        amounts = [Decimal(one["amount"]) for one in entries]
        city, _, postal_code = draw.choice(_CITIES.split(",")).partition(" ")
        customer = {
            "id": f"A-{number:06}",
            "name": f"{draw.choice(_FIRST.split())} {draw.choice(_LAST.split())}",
            "street": f"{draw.randint(1, 240)} {draw.choice(_STREETS.split(','))}",
            "city": city,
            "postal_code": postal_code,
            "currency": "GBP",
        }
        statement = {
            "number": f"2026-10-{number:06}",
            "account": f"{draw.randint(10_000_000, 99_999_999)}",
            "starts_on": "2026-10-01",
            "ends_on": "2026-10-31",
            "opening": str(opening),
            "money_in": str(sum((one for one in amounts if one > 0), Decimal("0.00"))),
            "money_out": str(sum((one for one in amounts if one < 0), Decimal("0.00"))),
            "closing": entries[-1]["balance"],
        }
        yield {"customer": customer, "statement": statement, "entries": entries}


def _entries(draw: random.Random, balance: Decimal, count: int) -> Iterator[Values]:
    days = sorted(draw.randint(0, 30) for _ in range(count))
    for day in days:
        amount = Decimal(draw.randint(100, 25_000)) / 100
        credit = draw.random() < 0.15
        amount = amount * 8 if credit else -amount
        balance += amount
        yield {
            "booked_on": (date(2026, 10, 1) + timedelta(days=day)).isoformat(),
            "description": draw.choice(_LONG) if draw.random() < 0.3 else _short(draw),
            "reference": f"REF {draw.randint(10**7, 10**8 - 1)}",
            "kind": "credit" if credit else "debit",
            "amount": str(amount),
            "balance": str(balance),
        }


def _short(draw: random.Random) -> str:
    return f"Card payment, {draw.choice(_SHOPS.split(','))} {draw.randint(1, 999)}"


def write_tables(data: Path, everything: list[Statement]) -> None:
    """Write the two tables that ccm reads."""
    with (
        (data / "accounts.csv").open("w", encoding="utf-8", newline="") as parents,
        (data / "entries.csv").open("w", encoding="utf-8", newline="") as children,
    ):
        accounts, entries = csv.writer(parents), csv.writer(children)
        for number, one in enumerate(everything):
            customer, statement = _record(one["customer"]), _record(one["statement"])
            rows = one["entries"]
            assert isinstance(rows, list)
            if not number:
                names = [f"customer.{name}" for name in customer] + [f"statement.{name}" for name in statement]
                accounts.writerow(["id", *names, "locale", "country"])
                entries.writerow(["account", *rows[0]])
            accounts.writerow([customer["id"], *customer.values(), *statement.values(), "en-GB", "GB"])
            entries.writerows([customer["id"], *row.values()] for row in rows)


def _record(values: object) -> Mapping[str, str]:
    assert isinstance(values, dict)
    return values
