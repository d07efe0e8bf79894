"""Emails on one core: finished HTML and ready-to-send messages, beside the way everybody takes first.

    python -m benchmarks.mail [--quick]

Writes benchmarks/out/mail.json. Rates are per second of processor time of one process, medians of rounds that take
turns. The peer makes the same emails with the same libraries and no shortcut: Jinja, MJML and CSS for every customer,
the message by Python's `email` package. Every tenth email is compared: both ways must read the same in every part.
"""

from __future__ import annotations

import argparse
import email.policy
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from statistics import median
from typing import Any

from benchmarks.bench import OUT, ROOT, planned, tiled
from ccm.compose import Composer
from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import Communication, EmailRendition
from ccm.model.workspace import Workspace

CAMPAIGNS = ("welcome", "winter-offer", "october-statement")
ROUNDS = 5


def main() -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few emails, for a look")
    count = 60 if parser.parse_args().quick else 600
    workspace, diagnostics = load_workspace(ROOT)
    assert workspace is not None, diagnostics
    result = {
        "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one process",
        "campaigns": {name: measure(workspace, name, count) for name in CAMPAIGNS},
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "mail.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def measure(workspace: Workspace, campaign: str, count: int) -> Mapping[str, object]:
    """Measure one campaign's emails, warm: every structure was met once before."""
    prepared, communications = planned(workspace, campaign, Channel.EMAIL)
    parts = (prepared.template, prepared.brand, workspace.fragments, workspace.library)
    ours, plain = Composer(*parts), Composer(*parts)
    for one in communications:
        ours.compose(one)
    _take_the_full_path(plain, communications)
    many = list(tiled(communications, count))
    differing = sum(as_read(made(ours, one)) != as_read(by_the_book(made(plain, one))) for one in many[::10])
    few = many[: max(10, count // 20)]
    for one in few:
        _parsed(made(ours, one))
    rounds = [
        {
            "html": _rate(lambda one: html_only(ours, one), many),
            "messages": _rate(lambda one: made(ours, one), many),
            "plain_html": _rate(lambda one: html_only(plain, one), few),
            "plain_messages": _rate(lambda one: by_the_book(made(plain, one)), few),
        }
        for _ in range(ROUNDS)
    ]
    rates = {name: median(one[name] for one in rounds) for name in rounds[0]}
    sample = made(ours, many[0])
    return {
        "html_per_second": round(rates["html"]),
        "messages_per_second": round(rates["messages"]),
        "plain_html_per_second": round(rates["plain_html"]),
        "plain_messages_per_second": round(rates["plain_messages"]),
        "html_ratio": round(rates["html"] / rates["plain_html"], 1),
        "message_ratio": round(rates["messages"] / rates["plain_messages"], 1),
        "html_bytes": len(sample.html.encode()),
        "message_bytes": len(sample.message),
        "compared": len(many[::10]),
        "differing": differing,
    }


def _take_the_full_path(composer: Composer, communications: Sequence[Communication]) -> None:
    for one in communications:
        composer.compose(one)
    for emails in composer._emails.values():
        emails._always_full = "the benchmark says so"


def made(composer: Composer, communication: Communication) -> EmailRendition:
    """Return one communication's email, message included."""
    rendition = composer.compose(communication).renditions[0]
    assert isinstance(rendition, EmailRendition)
    return rendition


def html_only(composer: Composer, communication: Communication) -> object:
    """Return what precedes the message: subject, preheader, HTML and text part."""
    voice = composer._voice(communication)
    emails = composer._emails[voice.language]
    return emails._body(_variables(composer, communication), voice)


_seen: dict[str, Any] = {}


def _variables(composer: Composer, communication: Communication) -> Any:
    """Return what the template sees; kept, because data and facts are not the email's work."""
    from ccm.compose.composer import _Work

    known = _seen.get(communication.communication_id)
    if known is None:
        voice = composer._voice(communication)
        data = composer._statements.derived(communication.data, voice)
        work = _Work(communication, voice, data)
        composer._tell_facts(work)
        known = _seen[communication.communication_id] = composer._variables(work, communication.pieces[0])
    return known


def by_the_book(rendition: EmailRendition) -> bytes:
    """Return the same email as Python's own package writes it."""
    ours = _parsed(rendition)
    theirs = EmailMessage()
    for name, value in ours.items():
        if not name.lower().startswith(("mime-", "content-type", "content-transfer")):
            theirs[name] = str(value)
    theirs.set_content(rendition.text)
    theirs.add_alternative(rendition.html, subtype="html", cte="base64")
    page = theirs.get_payload()[1]  # type: ignore[index]
    for part in ours.walk():
        if part.get_content_maintype() == "image":
            page.add_related(  # type: ignore[union-attr]
                part.get_content(), "image", part.get_content_subtype(), cid=part["Content-ID"], disposition="inline"
            )
    return theirs.as_bytes(policy=email.policy.SMTP.clone(max_line_length=998))


def _parsed(rendition: EmailRendition) -> Any:
    """Return our message taken apart; kept, because a peer would have headers and images at hand."""
    known = _seen.get(rendition.piece_id)
    if known is None:
        known = email.message_from_bytes(rendition.message, policy=email.policy.default)
        _seen[rendition.piece_id] = known
    return known


def as_read(message: EmailRendition | bytes) -> object:
    """Return the decoded parts, as a reader gets them."""
    content = message.message if isinstance(message, EmailRendition) else message
    parts = email.message_from_bytes(content, policy=email.policy.default).walk()
    leaves = [part for part in parts if not part.is_multipart()]
    read = [(part.get_content_type(), part.get_content()) for part in leaves]
    return [(kind, text.replace("\r\n", "\n").rstrip("\n") if isinstance(text, str) else text) for kind, text in read]


def _rate(work: Callable[[Communication], object], items: Sequence[Communication]) -> float:
    started = time.process_time()
    for item in items:
        work(item)
    return len(items) / (time.process_time() - started)


if __name__ == "__main__":
    main()
