"""Compares one composed communication with what it must say, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from benchmarks.oracle.expected import Invoice, Statement
from benchmarks.oracle.reading import Mail, Misread, amounts, day, money, read_mail, read_pdf, values
from ccm.model.records import DocumentRendition, EmailRendition, SmsRendition
from ccm.run.workers import Made

# The words that stand before the amounts, by language; written here again, so that a wrong translation is found.
LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {"invoiced": "Invoiced", "credited": "Credited", "net": "Net", "total": "Total", "number": "Invoice number", "day": "Date"},
    "de": {"invoiced": "Berechnet", "credited": "Gutgeschrieben", "net": "Saldo", "total": "Summe", "number": "Rechnungsnummer", "day": "Datum"},
    "fr": {"invoiced": "Facturé", "credited": "Crédité", "net": "Solde", "total": "Montant total", "number": "Numéro de facture", "day": "Date"},
    "es": {"invoiced": "Facturado", "credited": "Abonado", "net": "Saldo", "total": "Importe total", "number": "Número de factura", "day": "Fecha"},
    "pt": {"invoiced": "Faturado", "credited": "Creditado", "net": "Saldo", "total": "Valor total", "number": "Número da fatura", "day": "Data"},
    "pl": {"invoiced": "Zafakturowano", "credited": "Uznano", "net": "Saldo", "total": "Razem", "number": "Numer faktury", "day": "Data"},
}  # fmt: skip

Check = Callable[[str, str], None]  # part, its text → nothing, or Misread


def compare_statement(made: Made, expected: Statement, *, document: bool) -> Iterator[tuple[str, str]]:
    """Yield each part's name with what differs; empty when it is equal."""
    locale = made.composed.communication.locale
    labels = _labels(locale)

    def check(part: str, text: str) -> None:
        for name in ("invoiced", "credited", "net"):
            _same(name, [money(one, locale) for one in values(text, labels[name])], getattr(expected, name))
        if part == "pdf":
            sums = Counter([expected.invoiced, expected.credited, expected.net])
            if amounts(text, locale, values(text, labels["net"])[0]) != expected.lines + sums:
                raise Misread("the lines are not those of the data")

    yield from _parts(made, check, wanted=("email html", "email text", "sms", *(("pdf",) if document else ())))


def compare_invoice(made: Made, expected: Invoice) -> Iterator[tuple[str, str]]:
    """Yield each part's name with what differs; empty when it is equal."""
    locale = made.composed.communication.locale
    labels = _labels(locale)

    def check(part: str, text: str) -> None:
        _same("total", [money(one, locale) for one in values(text, labels["total"])], expected.total)
        _same("number", values(text, labels["number"]), expected.number)
        wanted = (expected.day.year, expected.day.month, expected.day.day)
        _same("date", [day(one, expected.country) for one in values(text, labels["day"])], wanted)
        if part != "sms":
            found = amounts(text, locale, values(text, labels["total"])[0])
            _same_lines(found, expected, twice=part == "pdf")

    yield from _parts(made, check, wanted=("email html", "email text", "sms", "pdf", "attachment"))


def _same(
    name: str, found: list[object] | list[Decimal] | list[str] | list[tuple[int, int, int]], wanted: object
) -> None:
    if any(one != wanted for one in found):
        raise Misread(f"{name} is not that of the data")


def _same_lines(found: Counter[Decimal], expected: Invoice, *, twice: bool) -> None:
    """Take the lines away (a document tells unit prices beside the amounts): totals must remain, and nothing else."""
    lines = expected.lines + expected.lines if twice else expected.lines
    rest = Counter(found)
    rest.subtract(lines)
    if {amount for amount, count in rest.items() if count} != {expected.total} or rest[expected.total] < 1:
        raise Misread("the lines are not those of the data")


def _labels(locale: str) -> Mapping[str, str]:
    return LABELS.get(locale.partition("-")[0], LABELS["en"])


def _parts(made: Made, check: Check, wanted: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    blocked = made.blocking_failure()
    texts = _texts(made) if blocked is None else {}
    for part in wanted:
        if part not in texts:
            yield part, f"it was not made ({blocked or _why(made)})"
            continue
        try:
            check(part.replace("attachment", "pdf"), texts[part])
        except Misread as error:
            yield part, str(error)
        else:
            yield part, ""


def _why(made: Made) -> str:
    return ", ".join(sorted({finding.code for finding in made.findings})) or "no reason given"


def _texts(made: Made) -> dict[str, str]:
    """Return the text of every part that was made."""
    texts: dict[str, str] = {}
    for rendition in made.composed.renditions:
        match rendition:
            case EmailRendition():
                mail: Mail = read_mail(rendition.message)
                texts["email html"], texts["email text"] = mail.html, mail.text
                if mail.attachments:
                    texts["attachment"] = read_pdf(mail.attachments[0])
            case SmsRendition():
                texts["sms"] = "".join(rendition.segments)
            case DocumentRendition():
                texts["pdf"] = read_pdf(rendition.content)
    return texts
