"""ReportLab's platypus: the same design in its flowables; cells that wrap are paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.graphics.shapes import Drawing, Polygon, Rect
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, Table

from benchmarks.pdf.engines.values import day, lines_of, money, read

PRIMARY, ACCENT, MUTED = HexColor("#0b2545"), HexColor("#3f84b8"), HexColor("#566173")
PANEL, RULE, CREDIT = HexColor("#eef3f7"), HexColor("#d3dae2"), HexColor("#17693f")
FOOT = "North Bank plc, registered in England and Wales, number 00000000. An invented company."
BODY = ParagraphStyle(
    "body", fontName="Plex", fontSize=9.5, leading=13.8, textColor=HexColor("#1d2433"), spaceAfter=3 * mm
)
QUIET = ParagraphStyle("quiet", BODY, textColor=MUTED)
HEAD = ParagraphStyle("head", BODY, fontName="PlexBold", fontSize=20, leading=24, textColor=PRIMARY, spaceAfter=mm)
SUBHEAD = ParagraphStyle(
    "subhead", HEAD, fontSize=12, leading=15.6, spaceBefore=6 * mm, spaceAfter=2 * mm, keepWithNext=1
)
ABOVE_TABLE = ParagraphStyle("above", SUBHEAD, keepWithNext=0)  # it would take the whole table to the next page
LETTER = ParagraphStyle("letter", QUIET, fontSize=8.5, leading=12.3, alignment=TA_RIGHT)
CELL = ParagraphStyle("cell", BODY, fontSize=8.5, leading=12.3, spaceAfter=0)
WIDTHS = [18 * mm, 81 * mm, 27 * mm, 22 * mm, 22 * mm]


class Numbered(Canvas):  # type: ignore[misc]  # ReportLab has no types
    """Writes "Page 1 of 3" when the number of pages is known, as ReportLab's own recipe does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for state in self._kept:
            self.__dict__.update(state)
            self.setFont("Plex", 7.5)
            self.setFillColor(MUTED)
            self.drawString(20 * mm, 12 * mm, FOOT)
            self.drawRightString(A4[0] - 20 * mm, 12 * mm, f"Page {self._pageNumber} of {len(self._kept)}")
            super().showPage()
        super().save()


class Engine:
    """Fonts are read once."""

    def __init__(self, folder: Path) -> None:
        fonts = folder / "brands/north-bank/fonts"
        pdfmetrics.registerFont(TTFont("Plex", str(fonts / "IBMPlexSans-Regular.ttf")))
        pdfmetrics.registerFont(TTFont("PlexBold", str(fonts / "IBMPlexSans-SemiBold.ttf")))
        self._lines = lines_of(folder)

    def make(self, start: int, count: int) -> Iterator[bytes]:
        """Make some documents."""
        for line in self._lines[start : start + count]:
            stream = BytesIO()
            values = read(line)
            title = f"Account statement {values['statement']['number']}"
            frame = {
                "leftMargin": 20 * mm - 6,
                "rightMargin": 20 * mm - 6,
                "topMargin": 20 * mm - 6,
                "bottomMargin": 24 * mm - 6,
            }
            SimpleDocTemplate(stream, pagesize=A4, title=title, **frame).build(
                list(_story(values)), canvasmaker=Numbered
            )
            yield stream.getvalue()


def _story(values: Any) -> Iterator[Any]:
    customer, statement = values["customer"], values["statement"]
    name = escape(customer["name"])
    letter = "North Bank plc · 14 Harbour Row · Bristol BS1 4QD<br/>+44 117 496 0000 · help@north-bank.example"
    yield Table(
        [[_logo(), Paragraph(letter, LETTER)]],
        colWidths=[50 * mm, 120 * mm],
        style=[("RIGHTPADDING", (0, 0), (-1, -1), 0), ("LEFTPADDING", (0, 0), (-1, -1), 0)],
    )
    yield Spacer(1, 9 * mm)
    place = "<br/>".join(escape(customer[part]) for part in ("street", "city", "postal_code"))
    yield Paragraph(f"{name}<br/>{place}", BODY)
    yield Spacer(1, 9 * mm)
    yield Paragraph("Account statement", HEAD)
    span = f"{day(statement['starts_on'], 'long')} – {day(statement['ends_on'], 'long')}"
    yield Paragraph(f"{span} · Account {statement['account']} · Statement {statement['number']}", QUIET)
    yield _sums(statement)
    yield Spacer(1, 4 * mm)
    yield Paragraph(
        f"Dear {name}, here is everything that moved on your account in this period. Please check every entry and tell us "
        "within thirteen months if one of them is not yours.", BODY
    )  # fmt: skip
    yield Paragraph("Transactions", ABOVE_TABLE)
    yield _entries(values["entries"])
    yield Paragraph("What you should know", SUBHEAD)
    yield Paragraph(
        "Eligible deposits are protected up to the limit of the compensation scheme. Arranged overdrafts are repayable on "
        "demand; interest is charged on the cleared balance at the end of each day and taken on the first working day of the "
        "next month.", BODY
    )  # fmt: skip
    yield Paragraph(
        "We never ask for your password or a security code by email, text or telephone. If somebody does, call us on the "
        "number above.", BODY
    )  # fmt: skip


def _logo() -> Drawing:
    drawing = Drawing(40 * mm, 11 * mm)
    drawing.scale(11 * mm / 44, 11 * mm / 44)
    drawing.add(Rect(0, 0, 44, 44, fillColor=PRIMARY, strokeColor=None))
    drawing.add(Polygon([10, 10, 22, 34, 34, 10], fillColor=HexColor("#9ccfee"), strokeColor=None))
    drawing.add(Rect(54, 16, 106, 12, fillColor=PRIMARY, strokeColor=None))
    return drawing


def _sums(statement: Any) -> Table:
    rows = [
        [title, money(statement[name])]
        for title, name in (("Opening balance", "opening"), ("Money in", "money_in"), ("Money out", "money_out"), ("Closing balance", "closing"))
    ]  # fmt: skip
    style = [
        ("FONT", (0, 0), (-1, -2), "Plex", 9.5), ("FONT", (0, -1), (-1, -1), "PlexBold", 9.5), ("ALIGN", (1, 0), (1, -1), "RIGHT"),
        ("BACKGROUND", (0, 0), (-1, -1), PANEL), ("LINEABOVE", (0, 0), (-1, 0), 2, ACCENT), ("LINEBELOW", (0, 0), (-1, -2), 0.5, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4 * mm), ("RIGHTPADDING", (0, 0), (-1, -1), 4 * mm),
        ("TOPPADDING", (0, 0), (-1, -1), 1.7 * mm), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4 * mm),
    ]  # fmt: skip
    return Table(rows, colWidths=[120 * mm, 50 * mm], style=style)


def _entries(entries: Any) -> LongTable:
    rows: list[list[Any]] = [["Date", "Details", "Reference", "Amount", "Balance"]]
    style = [
        ("FONT", (0, 0), (-1, 0), "PlexBold", 8.5), ("TEXTCOLOR", (0, 0), (-1, 0), MUTED), ("FONT", (0, 1), (-1, -1), "Plex", 8.5),
        ("ALIGN", (3, 0), (-1, -1), "RIGHT"), ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
        ("LINEBELOW", (0, 0), (-1, 0), 1, PRIMARY), ("ROWBACKGROUNDS", (0, 1), (-1, -1), [None, PANEL]),
        ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (2, -1), 3 * mm), ("RIGHTPADDING", (3, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.9 * mm), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.3 * mm),
    ]  # fmt: skip
    for number, entry in enumerate(entries, 1):
        details = Paragraph(escape(entry["description"]), CELL)
        rows.append(
            [day(entry["booked_on"]), details, entry["reference"], money(entry["amount"]), money(entry["balance"])]
        )
        if entry["kind"] == "credit":
            style += [
                ("TEXTCOLOR", (3, number), (3, number), CREDIT),
                ("FONT", (3, number), (3, number), "PlexBold", 8.5),
            ]
    return LongTable(rows, colWidths=WIDTHS, repeatRows=1, style=style)
