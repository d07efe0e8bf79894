"""Reading files of events: mails as single files, mbox, Maildir or folders; JSON lines of Amazon SES."""

from __future__ import annotations

import json
import mailbox
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ccm.diagnostics import Diagnostic, Location
from ccm.events.mail_reports import LARGEST_BYTES, read_report
from ccm.events.reading import record, text
from ccm.events.ses import read_ses
from ccm.events.text_messages import read_text_event
from ccm.model.permissions import News
from ccm.run.contents import ConfigurationFault

_LONGEST_LINE = 1024 * 1024
_JSON = frozenset({".json", ".jsonl", ".ndjson"})


def read_events(path: Path) -> Iterator[News]:
    """Yield the news in a file or folder.

    A folder with `cur` and `new` is a Maildir; of any other every file counts, folders below it too. A file is a mail, an
    mbox if it begins with `From `, or JSON lines if it begins with `{`.

    Raises:
        ConfigurationFault: If the file or folder cannot be read.
    """
    try:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield from _file(path)
    except OSError as problem:
        fault = Diagnostic(
            "events-unreadable",
            f"the events cannot be read ({problem.strerror})",
            "check the path and its permissions; events read before count and are not counted twice",
            Location(str(path)),
        )
        raise ConfigurationFault((fault,)) from None


def read_stream(stream: BinaryIO) -> Iterator[News]:
    """Yield the news of a stream, kept in a file until it is read."""
    with tempfile.TemporaryDirectory(prefix="ccm-events-") as folder:
        path = Path(folder) / "events"
        with path.open("wb") as file:
            while part := stream.read(1 << 20):
                file.write(part)
        yield from read_events(path)


def event_news(event: Mapping[str, Any]) -> tuple[News, ...]:
    """Return the news of one event of Amazon's, whichever service made it and whatever it came wrapped in."""
    if text(event.get("Type")) == "Notification" and "Message" in event:  # as SNS wraps it
        return event_news(_parsed(text(event.get("Message"))))
    if "detail-type" in event:  # as EventBridge wraps it
        return event_news(record(event.get("detail")))
    return read_ses(event) or read_text_event(event)


def _parsed(line: str) -> Mapping[str, Any]:
    with suppress(ValueError, RecursionError):
        return record(json.loads(line))
    return {}


def _folder(path: Path) -> Iterator[News]:
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            yield from _folder(path / part)
        return
    for folder, names, files in os.walk(path):
        names.sort()
        for name in sorted(files):
            if not name.startswith("."):
                yield from _file(Path(folder) / name)


def _file(path: Path) -> Iterator[News]:
    with path.open("rb") as file:
        head = file.read(64).lstrip()
        if path.suffix.lower() in _JSON or head.startswith(b"{"):
            file.seek(0)
            while line := file.readline(_LONGEST_LINE):
                yield from event_news(_parsed(line.decode("utf-8", "replace")))
            return
        if not head.startswith(b"From "):
            file.seek(0)
            yield from read_report(file.read(LARGEST_BYTES))
            return
    mails = mailbox.mbox(path, create=False)
    try:
        for key in mails.iterkeys():
            yield from read_report(mails.get_bytes(key))
    finally:
        mails.close()
