"""Writes the workspace: the templates beside this file, fonts of the sample brands, data from the shared folder."""

from __future__ import annotations

import csv
import hashlib
import lzma
import shutil
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import yaml

from benchmarks.oracle.places import country_code, main_locale

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
RETAIL = "online_retail/online_retail_dev_2010-12_2011-08.csv.xz"
CHINOOK = "chinook/Chinook_Sqlite.sqlite"

_FIRST = "Ada Björn Chloé Dermot Elżbieta Ferenc Grace Håkon Inês Jürgen Łucja María Noor Oisín Priya Raúl Siân Tomáš Uma Zoë"
_LAST = "Abbott Berg Čapek Dvořák Evans Fournier García Høst Ibsen Jäger Kowalska Lindqvist Müller Núñez O’Brien Peña Quinn Szabó"

_INVOICES = """
WITH place (name, code, locale) AS (VALUES {places})
SELECT i.InvoiceId AS "invoice.number", date(i.InvoiceDate) AS "invoice.issued_on", i.Total AS "invoice.total",
  c.CustomerId AS "customer.id", c.FirstName || ' ' || c.LastName AS "customer.name", 'USD' AS "customer.currency",
  c.Email AS email, c.Phone AS phone, place.locale AS locale, place.code AS country,
  c.FirstName || ' ' || c.LastName AS "address.name", i.BillingAddress AS "address.street",
  i.BillingCity AS "address.city", i.BillingState AS "address.region", i.BillingPostalCode AS "address.postal_code",
  place.code AS "address.country",
  e.FirstName || ' ' || e.LastName AS "agent.name", e.Email AS "agent.email",
  CASE WHEN e.Phone LIKE '+%' THEN e.Phone ELSE '+' || e.Phone END AS "agent.phone"
FROM Invoice i JOIN Customer c ON c.CustomerId = i.CustomerId
JOIN Employee e ON e.EmployeeId = c.SupportRepId JOIN place ON place.name = i.BillingCountry
ORDER BY i.InvoiceId
"""
_LINES = """
SELECT l.InvoiceId AS invoice, t.Name AS title, COALESCE(r.Name, 'Various') AS artist, l.Quantity AS quantity,
  l.UnitPrice AS unit_price
FROM InvoiceLine l JOIN Track t ON t.TrackId = l.TrackId
LEFT JOIN Album a ON a.AlbumId = t.AlbumId LEFT JOIN Artist r ON r.ArtistId = a.ArtistId
ORDER BY l.InvoiceLineId
"""


def build(folder: Path, shared: Path) -> Path:
    """Write the workspace anew and return its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "workspace", folder)
    fonts = folder / "brands/harbour-goods/fonts"
    fonts.mkdir()
    for weight in ("Regular", "SemiBold"):
        shutil.copy(PROJECT / f"brands/northwind-bank/fonts/IBMPlexSans-{weight}.ttf", fonts)
    _write_shoppers(folder / "data", shared / RETAIL)
    _write_invoice_source(folder / "data", shared / CHINOOK)
    return folder


def retail_rows(file: Path) -> Iterator[dict[str, str]]:
    """Read the invoice lines of known customers, days without their time."""
    with lzma.open(file, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row["CustomerID"]:
                yield {**row, "InvoiceDate": row["InvoiceDate"][:10]}


def _write_shoppers(data: Path, file: Path) -> None:
    countries: dict[str, str] = {}
    with (data / "lines.csv").open("w", encoding="utf-8", newline="") as target:
        columns = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
        lines = csv.DictWriter(target, columns, extrasaction="ignore")
        lines.writeheader()
        for row in retail_rows(file):
            countries.setdefault(row["CustomerID"], row["Country"])
            lines.writerow(row)
    with (data / "shoppers.csv").open("w", encoding="utf-8", newline="") as target:
        people = csv.writer(target)
        people.writerow(["id", "name", "currency", "email", "phone", "locale", "country"])
        for customer in sorted(countries):
            country = country_code(countries[customer])
            email = f"customer.{customer}@example.org"
            people.writerow(
                [customer, _name(customer), "GBP", email, _phone(customer, country), main_locale(country), country]
            )


def _name(customer: str) -> str:
    """Make up a name; the same customer always has the same."""
    digest = hashlib.sha256(customer.encode()).digest()
    first, last = _FIRST.split(), _LAST.split()
    return f"{first[digest[0] % len(first)]} {last[digest[1] % len(last)]}"


def _phone(customer: str, country: str) -> str:
    """Make up a valid mobile number of the country."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    own = phonenumbers.parse(text[:-3] + customer[-3:])
    return text[:-3] + customer[-3:] if phonenumbers.is_valid_number(own) else text


def _write_invoice_source(data: Path, database: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    names = [row[0] for row in connection.execute("SELECT DISTINCT BillingCountry FROM Invoice ORDER BY 1")]
    connection.close()
    codes = [(name, country_code(name)) for name in names]
    places = ", ".join(f"('{name}', '{code}', '{main_locale(code)}')" for name, code in codes)
    url = f"sqlite:///{database}"
    source = {
        "source": "invoices",
        "rows": {"url": url, "query": _INVOICES.format(places=places)},
        "key": "invoice.number",
        "recipient_id": "customer.id",
        "recipient": {"email": "email", "phone": "phone", "locale": "locale", "country": "country"},
        "children": {"lines": {"rows": {"url": url, "query": _LINES}, "key": "invoice"}},
    }
    (data / "invoices.yaml").write_text(yaml.safe_dump(source, sort_keys=False), encoding="utf-8")
