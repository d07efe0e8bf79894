"""What the composed output must say: the shared oracle, and sums of the raw data by the standard library."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from benchmarks.oracle.build import CHINOOK, RETAIL, retail_rows

ORACLE = "online_retail/oracle_customer_month_dev.csv"


@dataclass(frozen=True)
class Statement:
    """One customer's month: sums to the penny, and the amount of every line."""

    invoiced: Decimal
    credited: Decimal
    net: Decimal
    lines: Counter[Decimal] = field(default_factory=Counter)


@dataclass(frozen=True)
class Invoice:
    """One invoice of the store."""

    number: str
    country: str
    day: date
    total: Decimal
    lines: Counter[Decimal]


def penny(amount: Decimal) -> Decimal:
    """Round half away from zero to the penny."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def statements(shared: Path, pdf_month: str) -> dict[str, dict[str, Statement]]:
    """Return the statements by month and customer; lines only for the month whose PDFs are made."""
    lines: dict[str, Counter[Decimal]] = defaultdict(Counter)
    for row in retail_rows(shared / RETAIL):
        if row["InvoiceDate"].startswith(pdf_month):
            lines[row["CustomerID"]][penny(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]))] += 1
    found: dict[str, dict[str, Statement]] = defaultdict(dict)
    with (shared / ORACLE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sums = [penny(Decimal(row[name])) for name in ("invoiced", "credited", "net")]
            own = lines[row["CustomerID"]] if row["month"] == pdf_month else Counter()
            found[row["month"]][row["CustomerID"]] = Statement(sums[0], sums[1], sums[2], own)
    return found


def invoices(shared: Path, codes: dict[str, str]) -> dict[str, Invoice]:
    """Return the invoices by number; `codes` gives the ISO code of each country name."""
    connection = sqlite3.connect(f"file:{shared / CHINOOK}?mode=ro", uri=True)
    lines: dict[int, Counter[Decimal]] = defaultdict(Counter)
    for invoice, price, quantity in connection.execute("SELECT InvoiceId, UnitPrice, Quantity FROM InvoiceLine"):
        lines[invoice][Decimal(str(price)) * quantity] += 1
    found = {}
    query = "SELECT InvoiceId, BillingCountry, InvoiceDate, Total FROM Invoice"
    for number, country, day, total in connection.execute(query):
        on = date.fromisoformat(day[:10])
        found[str(number)] = Invoice(str(number), codes[country], on, Decimal(str(total)), lines[number])
    connection.close()
    return found
