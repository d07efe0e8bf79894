"""Hostile values in every field of a customer: none may become a header, a recipient, or a second message.

Every message goes through the real composer and SMTP, and is read back from the server's store by two parsers: the
standard library's and a strict one of ours.
"""

from __future__ import annotations

import csv
import email.policy
import io
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import getaddresses
from pathlib import Path

from benchmarks.faults.sink import Sink, Stored
from benchmarks.faults.tools import ROOT
from benchmarks.faults.verdict import Tally
from benchmarks.faults.warm import shared
from benchmarks.faults.workplace import RUN, RUN_ID, SOURCE, Shape, mail_provider, make
from ccm.ledger.sql import open_ledger
from ccm.model.definitions import Channel
from ccm.model.records import PieceState, communication_id, piece_id

EVIL = "evil@attacker.example"
BREAKS = (
    "\r\nBcc: {evil}", "\nBcc: {evil}", "\rBcc: {evil}", "\r\n\r\n<b>body</b>", "\n\nbody", "\r\n.\r\nMAIL FROM:<{evil}>",
    "%0d%0aBcc: {evil}", "%0ABcc: {evil}", "\\r\\nBcc: {evil}", "\x0bBcc: {evil}", "\x0cBcc: {evil}", "\x85Bcc: {evil}",
    "\u2028Bcc: {evil}", "\u2029Bcc: {evil}", "\u560d\u560aBcc: {evil}", "\x00\r\nBcc: {evil}", "\r\n Bcc: {evil}",
    "\r\n\tBcc: {evil}", "\r\nContent-Type: text/html\r\n\r\n<b>x</b>", "\x1eBcc: {evil}", "\r\nRCPT TO:<{evil}>",
)  # fmt: skip
WORDS = (
    "=?utf-8?q?x=0ABcc:_{evil}?=", "=?utf-8?q?x=0D=0ABcc:_{evil}=0D=0A=0D=0Abody?=", "=?utf-8?b?eApCY2M6IGV2aWxAYXR0YWNrZXI=?=",
    "=?us-ascii?Q?=0D=0ABcc:_{evil}?=", "=?iso-8859-1?q?=0ATo:_{evil}?=", "=?utf-8?q?=0ABcc:?= =?utf-8?q?_{evil}?=",
    "=?UTF-8?Q?=0a?=Bcc: {evil}", "=?utf-16?q?=0A?=", "=?utf-7?q?+AA0ACg-Bcc:{evil}?=", "=?x?=", "=?utf-8?q?", "?==?utf-8?q?=0A?=",
    "=?utf-8?q?=00?=", "=?utf-8*en?q?=0ABcc:_{evil}?=", "=?unknown?q?=0ABcc:_{evil}?=",
)  # fmt: skip
ADDRESSES = (
    "a@good.example,{evil}", "a@good.example;{evil}", "a@good.example {evil}", "<a@good.example>,<{evil}>", '"x" <{evil}>',
    "a@good.example>\r\nRCPT TO:<{evil}", "a@good.example\n{evil}", "{evil}@good.example", "a@good.example@attacker.example",
    "a@good.example%0a{evil}", "group:{evil},b@x.example;", "(c){evil}", "@x.example:{evil}", "a@[127.0.0.1]", "a@b@c",
)  # fmt: skip
# Columns of the source: those of the address and those that templates print into headers and text.
FIELDS = ("id", "email", "phone", "locale", "name", "title", "tag", "note", "link", "line")
HEADERS = frozenset(
    [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "content-language",
        "auto-submitted",
        "feedback-id",
        "mime-version",
        "content-type",
    ]
)
OPTIONAL = frozenset(["list-unsubscribe", "list-unsubscribe-post", "reply-to", "x-priority", "precedence"])
_HEADER = re.compile(rb"([!-9;-~]+):(?: |$)")

TEMPLATE = """\
template: notice
title: Notice
version: 1.0.0
purpose: transactional
locales: [en]
contract:
  customer:
    record: {name: text, title: text, tag: text, note: text, link: text, line: text}
channels:
  required: [email]
"""
EMAIL = """\
<mjml>
  <mj-head>
    <mj-title>{{ customer.title }} {{ customer.name }} {{ customer.tag }}</mj-title>
    <mj-preview>{{ customer.note }}</mj-preview>
  </mj-head>
  <mj-body><mj-section><mj-column><mj-text>{{ customer.name }} {{ customer.line }} {{ customer.link }}</mj-text></mj-column></mj-section></mj-body>
</mjml>
"""
CAMPAIGN = """\
campaign: news
title: News
brand: plain
template: notice@1
purpose: transactional
occurrence: once
audience: {source: people}
channels: {together: [email]}
deliver: {email: mail}
limits: {held_share: 1}
"""


@dataclass(frozen=True)
class Case:
    """One hostile value in one field of one customer."""

    number: int
    field: str
    value: str

    @property
    def row(self) -> dict[str, str]:
        """The customer's row."""
        sound = {
            "id": f"C-{self.number:05}", "email": f"c{self.number:05}@example.org", "phone": "+447400123001",
            "locale": "en-GB", "name": "Ann", "title": "Hello", "tag": "today", "note": "A note", "link": "x", "line": "y",
        }  # fmt: skip
        return {**sound, self.field: self.value}

    @property
    def piece_id(self) -> str:
        """Id of the email, if there is one."""
        return piece_id(communication_id("news", "once", self.row["id"]), Channel.EMAIL)


def hostile_values() -> list[str]:
    """Return naughty strings, line breaks and encoded words; without the shared data, the latter two."""
    folder = Path(os.environ.get("CCM_SHARED_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "vectors" / "naughty" / "blns.json"
    naughty = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return list(dict.fromkeys([*naughty, *(one.format(evil=EVIL) for one in (*BREAKS, *WORDS))]))


def cases(step: int = 1) -> list[Case]:
    """Return every value in every field; `step` takes each so manieth."""
    values = hostile_values()
    pairs = [(name, value) for name in FIELDS for value in values]
    pairs += [("email", one.format(evil=EVIL)) for one in ADDRESSES]
    return [Case(number, name, value) for number, (name, value) in enumerate(pairs[::step])]


def table(found: list[Case]) -> str:
    """Return the source."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({key: value.replace("\x00", "\ufffd") for key, value in one.row.items()} for one in found)
    return text.getvalue()


# ── reading back ─────────────────────────────────────────────────────────────


def wrong(stored: Stored, case: Case) -> list[str]:
    """Say what is wrong with one message, by both parsers."""
    return [*wrong_envelope(stored, case), *wrong_by_library(stored), *wrong_by_strict_reading(stored.content)]


def wrong_envelope(stored: Stored, case: Case) -> list[str]:
    """One recipient, and the one that was meant."""
    meant = case.row["email"].strip().casefold()
    if len(stored.recipients) != 1:
        return [f"{len(stored.recipients)} recipients"]
    local, _, domain = stored.recipients[0].casefold().rpartition("@")
    meant_local, _, meant_domain = meant.rpartition("@")
    if case.field == "email":  # a domain may have been written in ASCII
        return (
            []
            if local == meant_local.strip("<") and (domain == meant_domain or not meant_domain.isascii())
            else ["another recipient"]
        )
    return [] if (local, domain) == (meant_local, meant_domain) else ["another recipient"]


def wrong_by_library(stored: Stored) -> list[str]:
    """What the standard library finds."""
    message = email.message_from_bytes(stored.content, policy=email.policy.default)
    names = Counter(name.lower() for name in message)
    found = [f"header {name}" for name in names if name not in HEADERS | OPTIONAL]
    found += [f"{count} headers {name}" for name, count in names.items() if count > 1]
    found += [f"no header {name}" for name in HEADERS - names.keys()]
    for name in ("to", "from"):
        if len(getaddresses(message.get_all(name, []))) != 1:
            found.append(f"not one address in {name}")
    if EVIL in str(message.get("to", "")) + str(message.get("cc", "")):
        found.append("addressed to the attacker")
    kinds = [part.get_content_type() for part in message.walk()]
    if kinds != ["multipart/alternative", "text/plain", "text/html"]:
        found.append(f"parts {kinds}")
    return found


def wrong_by_strict_reading(content: bytes) -> list[str]:
    """What a reader finds that takes nothing but RFC 5322: lines, names, folds."""
    head = content.partition(b"\n\n")[0]
    found: list[str] = []
    names: Counter[str] = Counter()
    for line in head.split(b"\n"):
        line = line.removesuffix(b"\r")
        if b"\r" in line or b"\x00" in line or len(line) > 998:
            found.append("a line that is none")
        if line[:1] in (b" ", b"\t"):
            if not line.strip():
                found.append("an empty fold")
            continue
        match = _HEADER.match(line)
        if match is None:
            found.append("a line that is no header")
            continue
        names[match[1].decode().lower()] += 1
    found += [f"header {name}" for name in names if name not in HEADERS | OPTIONAL]
    found += [f"{count} headers {name}" for name, count in names.items() if count > 1]
    return found


# ── the run ──────────────────────────────────────────────────────────────────


def inject(step: int = 1) -> Tally:
    """Send to everybody, and read everything back."""
    chosen = cases(step)
    tally = Tally(f"hostile values, {len(FIELDS)} fields")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ccm-inject-"))
    try:
        with Sink() as sink:
            shape = Shape(
                settings={"mail": mail_provider(sink.port, 8)},
                files={
                    "data/people.csv": table(chosen), "data/people.yaml": SOURCE, "templates/notice/template.yaml": TEMPLATE,
                    "templates/notice/email.mjml": EMAIL, "campaigns/news.yaml": CAMPAIGN,
                },
            )  # fmt: skip
            root = make(folder / "workspace", shape)
            ended = shared()(*RUN, folder=root)
            if ended.code not in (0, 1):
                tally.fail("the run", f"ended with {ended.code}: {ended.stderr[-400:]}")
            sink.settle()
            read_back(sink.stored(), chosen, root, tally)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - started
    return tally


def read_back(stored: list[Stored], chosen: list[Case], root: Path, tally: Tally) -> None:
    """Judge every message, and that there is one for each piece that the ledger calls accepted."""
    by_piece = {case.piece_id: case for case in chosen}
    by_address = {case.row["email"]: case for case in chosen if case.field != "email"}
    arrived = Counter(one.piece_id for one in stored)
    tally.kills = len(chosen)
    tally.duplicated = sum(arrived.values()) - len(arrived)
    for one in stored:
        case = by_address.get(one.recipients[0].casefold()) or by_piece.get(one.piece_id)  # an id may be trimmed
        if case is None:
            tally.fail(one.piece_id, "nobody's piece")
            continue
        for what in wrong(one, case):
            tally.fail(f"{case.field} {case.value!r}", what)
    ledger = open_ledger("sqlite:///.ccm/ledger.db", root)
    try:
        accepted = {piece.piece_id for piece in ledger.pieces(RUN_ID, states=(PieceState.ACCEPTED,))}
    finally:
        ledger.close()
    tally.lost = len(accepted - set(arrived))
    if accepted != set(arrived):
        tally.fail("the ledger", f"{len(accepted ^ set(arrived))} messages that ledger and server disagree on")


def all_values(quick: bool = False) -> list[Tally]:
    """Every value in every field; quick takes each twentieth."""
    return [inject(20 if quick else 1)]
