"""Make the sample data: invented customers in eight locales and everything we write to them about.

    python3 data/generate.py [FOLDER]

The same seed gives the same bytes. Names, addresses and accounts are invented; addresses of email end in
example domains, telephone numbers are the example numbers of their countries. Four faults are there on
purpose, so that a report has something to show: see `FAULTS`.
"""

from __future__ import annotations

import csv
import json
import random  # noqa: TID251  # seeded: the same people every time
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 20261031
FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2026, 10, 31)
# Deliberate: customer number → what is wrong with the row.
FAULTS = {
    "C-1013": "no email",
    "C-1047": "telephone number too short",
    "C-1101": "no name",
    "C-1158": "too many decimals",
}
# How often a category comes up and what a line costs in pounds, from – to.
SPENDING = {
    "groceries": (9, 4, 86), "eating_out": (5, 3, 48), "transport": (4, 2, 64), "shopping": (3, 9, 140),
    "leisure": (2, 6, 35), "health": (1, 4, 60), "transfers": (2, 25, 220), "fees": (0.4, 1, 9),
}  # fmt: skip
ASCII_NAME = str.maketrans({"’": None, " ": ".", "'": None})


@dataclass(frozen=True)
class Customer:
    """One invented person.

    row: Columns of customers.csv.
    scale: What a pound is in the account's currency, roughly.
    places: Decimal places of that currency.
    energy: Words, units, tax and prices of an electricity bill.
    """

    row: Mapping[str, str]
    scale: Decimal
    places: int
    merchants: Mapping[str, Sequence[str]]
    energy: Mapping[str, Any]

    def rounded(self, amount: Decimal) -> Decimal:
        """Return an amount in whole minor units, half away from zero."""
        return amount.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP)

    def amount(self, pounds: Decimal) -> Decimal:
        """Return pounds as a likely amount in the account's currency."""
        return self.rounded(pounds * self.scale)


def customers(draw: random.Random) -> list[Customer]:
    """Invent the customers, locales mixed, numbers from C-1001."""
    words = json.loads((HERE / "vocabulary.json").read_text(encoding="utf-8"))
    tags = [tag for tag, entry in words.items() for _ in range(entry["count"])]
    draw.shuffle(tags)
    names: set[str] = set()
    return [_customer(draw, f"C-{1001 + place}", tag, words, names) for place, tag in enumerate(tags)]


def _customer(draw: random.Random, number: str, tag: str, words: Mapping[str, Any], names: set[str]) -> Customer:
    entry = words[tag]
    name = _name(draw, tag, entry, names)
    city, postal_code = draw.choice(entry["cities"])
    country, serial = tag[-2:], int(number[2:])
    account = _account(draw, country)
    # Most people leave us the choice; a few want less.
    wanted = draw.choices(["", "email document sms", "email document", "sms"], [70, 18, 11, 1])[0]
    row = {
        "id": number,
        "name": "" if number == "C-1101" else name,
        "status": "closed" if serial % 60 == 0 else "active",
        "currency": entry["currency"],
        "locale": tag,
        "country": country,
        "zone": entry["zone"],
        "email": "" if number == "C-1013" else f"customer{serial}@{country.lower()}.example.com",
        "phone": entry["phone"].format(serial % 240)[: -4 if number == "C-1047" else None],
        "channels": wanted,
        "email_marketing": draw.choices(["2026-03-14T09:30:00Z", "yes", "no"], [45, 27, 28])[0],
        "sms_marketing": draw.choices(["yes", "no"], [48, 52])[0],
        "joined_on": _joined(draw, serial).isoformat(),
        "address.name": "" if number == "C-1101" else name,
        "address.street": draw.choice(entry["streets"]).format(n=draw.randint(1, 98), m=draw.randint(1, 9)),
        "address.city": city,
        "address.postal_code": postal_code,
        "address.region": entry["region"][city] if entry["region"] else "",
        "address.country": country,
        "account.product": entry["product"],
        "account.number": account,
        "account.ending": account.replace(" ", "")[-4:],
    }
    shops = entry["merchants"] if isinstance(entry["merchants"], dict) else words[entry["merchants"]]["merchants"]
    energy = {
        part: words[said]["energy"][part] if isinstance(said, str) and said in words else said
        for part, said in entry["energy"].items()
    }
    return Customer(row, Decimal(entry["scale"]), 0 if entry["currency"] == "JPY" else 2, shops, energy)


def _name(draw: random.Random, tag: str, entry: Mapping[str, Any], taken: set[str]) -> str:
    while True:
        given, family = draw.choice(entry["given"]), draw.choice(entry["family"])
        name = f"{family} {given}" if tag == "ja-JP" else f"{given} {family}"
        if name not in taken:
            taken.add(name)
            return name


def _account(draw: random.Random, country: str) -> str:
    body = f"NWND{draw.randrange(10**14):014d}" if country == "GB" else f"{draw.randrange(10**18):018d}"
    digits = "".join(str(int(letter, 36)) for letter in body + country + "00")
    account = f"{country}{98 - int(digits) % 97:02d}{body}"
    return " ".join(account[place : place + 4] for place in range(0, len(account), 4))


def _joined(draw: random.Random, serial: int) -> date:
    if serial % 8 == 0:  # these are the new customers that the welcome campaign greets
        return FIRST_DAY + timedelta(days=draw.randrange(31))
    return date(2014, 1, 1) + timedelta(days=draw.randrange(4500))


def movements(draw: random.Random, customer: Customer) -> list[dict[str, str]]:
    """Return a month of account lines in date order, without balances."""
    lines = [(1, "housing", -draw.randint(420, 1150)), (draw.choice([24, 25, 28]), "income", draw.randint(1480, 4200))]
    lines += [(draw.randint(2, 12), "housing", -draw.randint(28, 140)) for _ in range(2)]
    wanted = draw.randint(25, 50)
    kinds, weights = list(SPENDING), [weight for weight, _, _ in SPENDING.values()]
    while len(lines) < wanted:
        kind = draw.choices(kinds, weights)[0]
        lines.append((draw.randint(1, 31), kind, -draw.randint(*SPENDING[kind][1:])))
    if draw.random() < 0.3:
        lines.append((draw.randint(5, 26), "income", draw.randint(8, 60)))
    made = []
    for day, kind, pounds in sorted(lines, key=lambda line: line[0]):
        pence = Decimal(draw.randrange(100)) / 100 if abs(pounds) < 900 else Decimal(0)
        shops = customer.merchants[kind]
        shop = (
            (shops[0] if pounds > 100 or pounds < -400 else draw.choice(shops[1:]))
            if kind in ("income", "housing")
            else draw.choice(shops)
        )
        amount = customer.amount(Decimal(pounds) + (pence if pounds > 0 else -pence))
        made.append(
            {"booked_on": date(2026, 10, day).isoformat(), "description": shop, "category": kind, "amount": str(amount)}
        )
    return made


def statement(draw: random.Random, customer: Customer) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the month's statement and its lines; opening balance plus lines is the closing balance."""
    number = customer.row["id"]
    lines = movements(draw, customer)
    amounts = [Decimal(line["amount"]) for line in lines]
    opening = customer.amount(
        Decimal(draw.choices([draw.randint(-180, 90), draw.randint(200, 3900)], [18, 82])[0]) + Decimal("0.37")
    )
    if int(number[2:]) % 29 == 0:  # some accounts end on exactly nothing
        opening = -sum(amounts, Decimal(0))
    balance = opening
    for line, amount in zip(lines, amounts, strict=True):
        balance += amount
        line.update(customer_id=number, balance=str(balance))
    if number == "C-1158":
        lines[3]["amount"] += "5"
    row = {
        "customer_id": number,
        "number": f"ST-2026-10-{number[2:]}",
        "starts_on": FIRST_DAY.isoformat(),
        "ends_on": LAST_DAY.isoformat(),
        "opening_balance": str(opening),
        "money_in": str(sum((amount for amount in amounts if amount > 0), Decimal(0))),
        "money_out": str(sum((amount for amount in amounts if amount < 0), Decimal(0))),
        "closing_balance": str(balance),
        "link": f"https://online.northwind.example/s/{draw.getrandbits(40):010x}",
    }
    return row, lines


def overdraft(row: Mapping[str, str], draw: random.Random) -> dict[str, str] | None:
    """Return what an overdrawn customer should pay, or None."""
    owed = -Decimal(row["closing_balance"])
    if owed <= 0:
        return None
    reference = creditor_reference(f"ST{row['customer_id'][2:]}1026")
    return {
        "customer_id": row["customer_id"],
        "ends_on": row["ends_on"],
        "amount": str(owed),
        "due_on": (LAST_DAY + timedelta(days=draw.choice([14, 20, 21]))).isoformat(),
        "reference": reference,
        "link": f"https://pay.northwind.example/{reference.lower()}",
    }


def creditor_reference(body: str) -> str:
    """Return a structured creditor reference with its check digits (ISO 11649)."""
    digits = "".join(str(int(letter, 36)) for letter in body + "RF00")
    return f"RF{98 - int(digits) % 97:02d}{body}"


def invoice(
    draw: random.Random, customer: Customer, serial: int
) -> tuple[dict[str, str], list[dict[str, str]], list[dict[str, str]]]:
    """Return an electricity bill for October, its lines and the use of the last six months."""
    number = f"INV-2026-{4100 + serial}"
    used = [draw.randint(90, 420) for _ in range(6)]
    night = used[-1] * draw.randint(18, 40) // 100
    lines, net = [], Decimal(0)
    for place, quantity in enumerate((used[-1] - night, night, 31)):
        price = Decimal(customer.energy["prices"][place])
        amount = customer.rounded(price * quantity)
        net += amount
        lines.append({"invoice_number": number, "description": customer.energy["lines"][place], "quantity": str(quantity),
                      "unit": customer.energy["units"][place], "unit_price": str(price), "amount": str(amount)})  # fmt: skip
    rate = Decimal(customer.energy["tax"])
    tax = customer.rounded(net * rate / 100)
    reference = creditor_reference(number.replace("-", ""))
    row = {
        **customer.row,
        "invoice.number": number,
        "invoice.issued_on": "2026-11-02",
        "invoice.starts_on": FIRST_DAY.isoformat(),
        "invoice.ends_on": LAST_DAY.isoformat(),
        "invoice.net": str(net),
        "invoice.tax_rate": str(rate),
        "invoice.tax": str(tax),
        "invoice.total": str(net + tax),
        "invoice.link": f"https://my.juniper.example/i/{draw.getrandbits(40):010x}",
        "payment.amount": str(net + tax),
        "payment.due_on": "2026-11-20",
        "payment.reference": reference,
        "payment.link": f"https://pay.juniper.example/{reference.lower()}",
    }
    months = [date(2026, month, 1).isoformat() for month in range(5, 11)]
    return (
        row,
        lines,
        [{"invoice_number": number, "month": month, "used": str(kwh)} for month, kwh in zip(months, used, strict=True)],
    )


def reminder(draw: random.Random, row: Mapping[str, str], customer: Customer) -> dict[str, str]:
    """Return a reminder of a September bill that stayed unpaid; the second one costs a fee."""
    level = draw.choice([1, 1, 2])
    fee = customer.amount(Decimal("4.50")) if level == 2 else Decimal(0)
    due = customer.rounded(Decimal(row["invoice.total"]) * draw.randint(70, 130) / 100)
    number = row["invoice.number"].replace("-4", "-3")
    reference = creditor_reference(number.replace("-", ""))
    kept = {name: value for name, value in row.items() if not name.startswith(("invoice.", "payment."))}
    return {
        **kept,
        "reminder.level": str(level),
        "reminder.fee": str(customer.rounded(fee)),
        "invoice.number": number,
        "invoice.issued_on": "2026-10-02",
        "invoice.due_on": "2026-10-20",
        "invoice.total": str(due),
        "payment.amount": str(due + customer.rounded(fee)),
        "payment.due_on": "2026-11-24",
        "payment.reference": reference,
        "payment.link": f"https://pay.juniper.example/{reference.lower()}",
    }


def offer(draw: random.Random, customer: Customer) -> dict[str, str]:
    """Return a personal coupon."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    code = "WARM-" + "".join(draw.choices(letters, k=5))
    link = f"https://www.juniper.example/o/{code.lower()}"
    return {"customer_id": customer.row["id"], "code": code, "link": link}


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows as CSV; the first row's columns, UTF-8, line ends of Unix."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(folder: Path) -> None:
    """Write every table into a folder."""
    people = customers(random.Random(SEED))  # noqa: S311  # nothing secret
    write(folder / "customers.csv", [person.row for person in people])
    statements, payments, lines = [], [], []
    draw = random.Random(SEED + 1)  # noqa: S311  # nothing secret
    for person in people:
        row, moved = statement(draw, person)
        statements.append(row)
        lines += moved
        owed = overdraft(row, draw)
        payments += [owed] if owed else []
    write(folder / "statements.csv", statements)
    write(folder / "payments.csv", payments)
    write(folder / "transactions.csv", [{"customer_id": line.pop("customer_id"), **line} for line in lines])
    write(folder / "suppressions.csv", suppressions(people))
    write_bills(folder, people)


def write_bills(folder: Path, people: Sequence[Customer]) -> None:
    """Write what the energy company sends: bills for every third customer, reminders, coupons."""
    draw = random.Random(SEED + 2)  # noqa: S311  # nothing secret
    billed = [person for person in people[1::3] if person.row["id"] not in FAULTS]
    bills = [invoice(draw, person, serial) for serial, person in enumerate(billed)]
    write(folder / "invoices.csv", [row for row, _, _ in bills])
    write(folder / "invoice_lines.csv", [line for _, lines, _ in bills for line in lines])
    write(folder / "invoice_usage.csv", [month for _, _, months in bills for month in months])
    late = [(row, person) for (row, _, _), person in zip(bills, billed, strict=True)][::3]
    write(folder / "reminders.csv", [reminder(draw, row, person) for row, person in late])
    write(folder / "offers.csv", [offer(draw, person) for person in people])


def suppressions(people: Sequence[Customer]) -> list[dict[str, str]]:
    """Return addresses that must not be used, one of each usual reason."""
    rows = [(people[20], "email", "email", "", "hard bounce"), (people[77], "email", "email", "marketing", "unsubscribed"),
            (people[132], "email", "email", "marketing", "complaint"), (people[151], "phone", "sms", "", "replied STOP")]  # fmt: skip
    return [
        {"address": person.row[column], "channel": channel, "purpose": purpose, "reason": reason}
        for person, column, channel, purpose, reason in rows
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
