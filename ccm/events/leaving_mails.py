"""Mails that ask to be let go: what mail programs send to the `mailto:` address of List-Unsubscribe.

Anybody can write such a mail. It counts for the token that it quotes, which only the message's own reader can know; who
sent it proves nothing and is not looked at.
"""

from __future__ import annotations

import hashlib
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from ccm.events.reading import mail_date
from ccm.model.definitions import Channel
from ccm.model.permissions import News, NewsKind
from ccm.model.tokens import found_in

_ADDRESSED = ("to", "Delivered-To", "X-Original-To", "Cc")
_ASKS = "unsubscribe"
_LONGEST = 2000


def read_leaving(mail: Message, mark: str) -> tuple[News, ...]:
    """Return that a mail asks to be let go, once for every token; nothing for any other mail.

    Args:
        mark: Of the mail, for the event's id.
    Why only its own subject and addresses: a bounce or an answer may quote headers of ours, tokens included.
    """
    subject = _text(mail, "subject")
    tokens = found_in(" ".join((subject, *(_text(mail, name) for name in _ADDRESSED))))
    if not tokens and _ASKS not in subject.casefold():
        return ()
    return tuple(
        News(
            f"mail/{mark}/unsubscribe/{hashlib.sha256(token.encode()).hexdigest()[:16]}",
            NewsKind.UNSUBSCRIBED,
            Channel.EMAIL,
            at=mail_date(mail),
            proved=False,
            token=token,
        )
        for token in tokens or ("",)
    )


def _text(mail: Message, name: str) -> str:
    """Return a header as text; some programs encode a long subject in several words."""
    given = " ".join(str(one) for one in mail.get_all(name, ())[:5])[:_LONGEST]
    try:
        return str(make_header(decode_header(given)))
    except (HeaderParseError, LookupError, ValueError):
        return given
