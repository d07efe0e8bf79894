"""Control totals: nothing leaves unless it is what was planned, to the piece and to the cent."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from babel.numbers import list_currencies

from ccm.check.texts import Reading
from ccm.check.totals import ControlTotalsDiffer, Outgoing, amounts_told, balance
from ccm.compose.formats.locale_formats import formats_for
from ccm.model.definitions import Channel, FactDefinition, FactKind, Purpose
from ccm.model.records import (
    Communication,
    Composed,
    EmailRendition,
    Envelope,
    FactValue,
    PlannedPiece,
    ReleaseRef,
    SmsRendition,
)
from ccm.model.values import Money, minor_digits

FACTS = {"due": FactDefinition(value="invoice.due", kind=FactKind.MONEY, total=True)}
LOCALES = ("en-GB", "de-DE", "fr-FR", "pl-PL", "ar-EG", "ja-JP", "de-CH", "en-IN", "pt-BR", "sv-SE")


def made(number: int, money: Money, locale: str = "en-GB") -> tuple[Communication, Outgoing]:
    """Return one planned communication and what goes out for it: an email and a text message."""
    pieces = tuple(
        PlannedPiece(f"p-{channel}-{number}", channel, address, True, "outbox")
        for channel, address in ((Channel.EMAIL, f"c{number}@example.org"), (Channel.SMS, f"+4479000{number:05d}"))
    )
    communication = Communication(
        communication_id=f"c-{number}",
        run_id="bills.2026-10",
        campaign="bills",
        occurrence="2026-10",
        recipient_id=f"C-{number}",
        language=locale,
        locale=locale,
        zone="UTC",
        purpose=Purpose.TRANSACTIONAL,
        release=ReleaseRef("bill", "1.0.0", "0" * 64),
        pieces=pieces,
        data={"invoice": {"due": money}},
        parameters={},
        issued_at=datetime(2026, 11, 2, tzinfo=UTC),
    )
    amount = formats_for(locale, locale).money(money)
    text = f"Due: {amount}."
    email = EmailRendition(
        pieces[0].piece_id, "Bill", "", f"<p>{text}</p>", text, f"To: {pieces[0].address}\r\n\r\n{text}".encode()
    )
    sms = SmsRendition(pieces[1].piece_id, text, "ucs2", (text,))
    fact = FactValue("due", FactKind.MONEY, money, amount, (), total=True)
    composed = Composed(communication, (fact,), (email, sms))
    envelopes = tuple(
        Envelope(piece.piece_id, piece.channel, "us", piece.address, rendition)
        for piece, rendition in zip(pieces, (email, sms), strict=True)
    )
    return communication, Outgoing(composed, envelopes)


def window(count: int = 8) -> tuple[list[Communication], list[Outgoing]]:
    """Return a window in which everything balances."""
    rng = random.Random(7)
    both = [
        made(number, Money(Decimal(rng.randint(100, 999_999)) / 100, ("EUR", "GBP")[number % 2]), LOCALES[number % 6])
        for number in range(count)
    ]
    return [one for one, _ in both], [one for _, one in both]


def test_right_window_balances() -> None:
    """Amounts in two currencies and six locales are read back and sum to the source."""
    planned, outgoing = window(60)
    balance(planned, [one.composed for one in outgoing], outgoing, FACTS)


Fault = Callable[[list[Outgoing], int], list[Outgoing]]


def _with_rendition(one: Outgoing, place: int, **fields: object) -> Outgoing:
    envelope = one.envelopes[place]
    changed = replace(envelope, rendition=replace(envelope.rendition, **fields))
    return replace(one, envelopes=tuple(changed if other is envelope else other for other in one.envelopes))


def _one_cent_in(place: int) -> Fault:
    def fault(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
        fact = outgoing[at].composed.facts[0]
        assert isinstance(fact.value, Money)
        formats = formats_for(outgoing[at].composed.communication.locale, outgoing[at].composed.communication.locale)
        wrong = formats.money(fact.value + Money(Decimal("0.01"), fact.value.currency))
        text = outgoing[at].envelopes[place].rendition.text.replace(fact.text, wrong)  # type: ignore[union-attr]
        return [_with_rendition(one, place, text=text) if index == at else one for index, one in enumerate(outgoing)]

    return fault


def _fact_one_cent(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    """Composing works out a wrong amount and tells it on every channel alike."""
    communication = outgoing[at].composed.communication
    due = communication.data["invoice"]["due"]  # type: ignore[index]
    _, wrong = made(at, due + Money(Decimal("0.01"), due.currency), communication.locale)
    return [
        *outgoing[:at],
        replace(wrong, composed=replace(wrong.composed, communication=communication)),
        *outgoing[at + 1 :],
    ]


def _drop(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    return outgoing[:at] + outgoing[at + 1 :]


def _double(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    return [*outgoing, outgoing[at]]


def _swap(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    """Two customers' renditions go into each other's envelopes."""
    one, other = outgoing[at], outgoing[at + 1]
    crossed = [
        replace(
            mine,
            envelopes=tuple(
                replace(a, rendition=b.rendition) for a, b in zip(mine.envelopes, theirs.envelopes, strict=True)
            ),
        )
        for mine, theirs in ((one, other), (other, one))
    ]
    return [*outgoing[:at], *crossed, *outgoing[at + 2 :]]


def _swap_texts(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    """Two text messages keep their ids and exchange what they say."""
    texts = [one.envelopes[1].rendition.text for one in outgoing[at : at + 2]]  # type: ignore[union-attr]
    crossed = [_with_rendition(one, 1, text=text) for one, text in zip(outgoing[at : at + 2], texts[::-1], strict=True)]
    return [*outgoing[:at], *crossed, *outgoing[at + 2 :]]


def _other_address(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    envelope = replace(outgoing[at].envelopes[0], address="other@example.org")
    return [*outgoing[:at], replace(outgoing[at], envelopes=(envelope, outgoing[at].envelopes[1])), *outgoing[at + 1 :]]


def _other_recipient_in_message(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    message = outgoing[at].envelopes[0].rendition.content.replace(b"To: c", b"To: x")
    return [_with_rendition(one, 0, message=message) if index == at else one for index, one in enumerate(outgoing)]


def _other_data(outgoing: list[Outgoing], at: int) -> list[Outgoing]:
    mine = outgoing[at].composed
    theirs = replace(mine.communication, data=outgoing[at + 1].composed.communication.data)
    return [*outgoing[:at], replace(outgoing[at], composed=replace(mine, communication=theirs)), *outgoing[at + 1 :]]


FAULTS: dict[str, Fault] = {
    "drop": _drop,
    "double": _double,
    "swap": _swap,
    "swapped texts": _swap_texts,
    "one cent in email": _one_cent_in(0),
    "one cent in sms": _one_cent_in(1),
    "one cent everywhere": _fact_one_cent,
    "other address": _other_address,
    "other recipient in the header": _other_recipient_in_message,
    "other data": _other_data,
}


def seeded() -> Iterator[tuple[str, int]]:
    """Yield 20 faults: each kind at two places."""
    for name in FAULTS:
        yield name, 0
        yield name, 5


def as_checked(one: Outgoing) -> Outgoing:
    """Return what goes out with the amounts that checking read out of it."""
    readings = [Reading(envelope.rendition, one.composed.communication) for envelope in one.envelopes]
    told = {item.rendition.piece_id: amounts_told(item, one.composed.facts, {"due"}) for item in readings}
    return replace(one, told=told)


def test_what_checking_read_is_taken_and_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window balances by what checking told, though nothing can be read any more."""
    planned, outgoing = window(20)
    outgoing = [as_checked(one) for one in outgoing]
    monkeypatch.delattr(Reading, "comparable")
    balance(planned, [one.composed for one in outgoing], outgoing, FACTS)
    with pytest.raises(AttributeError):
        balance(planned, [one.composed for one in outgoing], [replace(one, told={}) for one in outgoing], FACTS)


@pytest.mark.parametrize("checked", [False, True], ids=["read here", "read by checking"])
@pytest.mark.parametrize(("name", "at"), list(seeded()))
def test_seeded_fault_stops_the_window(name: str, at: int, checked: bool) -> None:
    """Whatever is lost, doubled, exchanged or a cent off, nothing leaves, and the sentence holds no personal data.

    Nor where checking had read the right amounts before the fault.
    """
    planned, outgoing = window()
    if checked:
        outgoing = [as_checked(one) for one in outgoing]
    wrong = FAULTS[name](outgoing, at)
    with pytest.raises(ControlTotalsDiffer) as caught:
        balance(planned, [one.composed for one in wrong], wrong, FACTS)
    assert "example.org" not in str(caught.value)
    assert caught.value.faults


def test_ten_thousand_statements_over_all_currencies() -> None:
    """Sums told and sums of the source agree exactly for every currency of CLDR, with none, two and three decimals."""
    rng = random.Random(21)
    currencies = sorted(list_currencies())
    both = []
    for number in range(10_000):
        currency = currencies[number % len(currencies)]
        digits = minor_digits(currency)
        amount = Decimal(rng.randint(-(10**9), 10**9)).scaleb(-digits)
        both.append(made(number, Money(amount, currency), LOCALES[number % len(LOCALES)]))
    planned, outgoing = [one for one, _ in both], [one for _, one in both]
    balance(planned, [one.composed for one in outgoing], outgoing, FACTS)
