"""Compose a text message: tidy the text, choose the alphabet, cut it into the segments that a carrier bills for."""

from __future__ import annotations

import re
import unicodedata

import regex

from ccm.compose.sms.gsm7 import EXTENSION, close, is_gsm7, transliterated
from ccm.diagnostics import Severity
from ccm.model.definitions import Channel, SmsAlphabet, SmsRules
from ccm.model.records import Finding, SmsRendition

GSM7 = "gsm7"
UCS2 = "ucs2"

# Units of a message that fits one segment, and of each part of a longer one: 6 of 140 octets are its header.
# Source: 3GPP TS 23.040, 9.2.3.24.1.
CAPACITY = {GSM7: (160, 153), UCS2: (70, 67)}

_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNUSED = {*range(0x20), *range(0x7F, 0xA0)} - {0x0A}
_CONTROLS = dict.fromkeys(_UNUSED) | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_CLUSTER = regex.compile(r"\X")


def compose_sms(
    text: str, piece_id: str, rules: SmsRules, max_segments: int
) -> tuple[SmsRendition | None, tuple[Finding, ...]]:
    """Make a text message ready to be handed over.

    Args:
        text: What the variant rendered; line ends and spaces are tidied here.
        piece_id: Id of the piece.
        rules: The template's alphabet policy.
        max_segments: From 1; the campaign's limit if it has one.
    Returns:
        The message, also when it is too long (the finding is an error, so it is not sent); None when the
        policy forbids its characters.
    """
    tidied = tidy(text)
    chosen, alphabet, findings = _encode(tidied, piece_id, rules.alphabet)
    if alphabet is None:
        return None, findings
    segments = split_segments(chosen, alphabet)
    if len(segments) > max_segments:
        excess = characters_over(chosen, alphabet, max_segments)
        message = (
            f"the text message needs {len(segments)} {alphabet.upper()} segments and the limit is {max_segments}: "
            f"{excess} characters too many"
        )
        remedy = f"cut {excess} characters or raise max_segments"
        findings += (Finding("sms-too-long", message, remedy, piece_id, Channel.SMS),)
    return SmsRendition(piece_id, chosen, alphabet, segments), findings


def tidy(text: str) -> str:
    """Return text in NFC with plain spaces and line feeds, without control characters and needless blanks.

    Why: A no-break space or a carriage return from a template would cost half of every segment, and nobody sees it.
    """
    broken = _BREAKS.sub("\n", text).replace("\t", " ").translate(_CONTROLS)
    lines = [_SPACES.sub(" ", line).strip(" ") for line in unicodedata.normalize("NFC", broken).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def split_segments(text: str, alphabet: str) -> tuple[str, ...]:
    """Split text into the segments a carrier bills for.

    Args:
        text: Composed message, NFC; may be empty.
        alphabet: gsm7 or ucs2; for gsm7 every character must be in it.
    Returns:
        Segments in send order; one empty segment for an empty text. An escape pair, a surrogate pair and a
        letter with its marks are never split, unless one cluster alone is longer than a segment.
    Why: Carriers bill per segment; one emoji cuts a segment from 160 characters to 70.
    Source: 3GPP TS 23.038 (alphabet), TS 23.040 9.2.3.24.1 (concatenation).
    """
    clusters = list(text) if alphabet == GSM7 else _clusters(text)
    single, part = CAPACITY[alphabet]
    if sum(_units(cluster, alphabet) for cluster in clusters) <= single:
        return (text,)
    segments: list[str] = []
    held: list[str] = []
    used = 0
    for cluster in clusters:
        size = _units(cluster, alphabet)
        if used + size > part:
            segments.append("".join(held))
            held, used = [], 0
        held.append(cluster)
        used += size
    segments.append("".join(held))
    return tuple(segments)


def characters_over(text: str, alphabet: str, max_segments: int) -> int:
    """Return how many characters must be cut from the end so that the text fits."""
    clusters = list(text) if alphabet == GSM7 else _clusters(text)
    single = CAPACITY[alphabet][0]
    if max_segments > 1:
        kept = sum(len(segment) for segment in split_segments(text, alphabet)[:max_segments])
        return len(text) - kept
    room, kept = single, 0
    for cluster in clusters:
        room -= _units(cluster, alphabet)
        if room < 0:
            break
        kept += len(cluster)
    return len(text) - kept


def _clusters(text: str) -> list[str]:
    """Return grapheme clusters; one that is longer than a segment falls apart into its characters."""
    found: list[str] = []
    for cluster in _CLUSTER.findall(text):
        found += [cluster] if _units(cluster, UCS2) <= CAPACITY[UCS2][1] else list(cluster)
    return found


def _units(cluster: str, alphabet: str) -> int:
    """Return septets of a GSM-7 character, or 16-bit units of a UCS-2 cluster."""
    if alphabet == GSM7:
        return 2 if cluster in EXTENSION else 1
    return len(cluster) + sum(character > "\uffff" for character in cluster)


def _encode(text: str, piece_id: str, policy: SmsAlphabet) -> tuple[str, str | None, tuple[Finding, ...]]:
    """Apply the policy: the text to send, its alphabet (None: must not be sent) and what there is to say."""
    if is_gsm7(text):
        return text, GSM7, ()
    if policy is SmsAlphabet.AUTO:
        return text, UCS2, ()
    near = tidy(close(text))
    if is_gsm7(near):
        return near, GSM7, ()
    if policy is SmsAlphabet.TRANSLITERATE:
        return text, UCS2, ()
    spelt, lost = transliterated(text)
    if any(
        unicodedata.category(character)[0] in "LN" or unicodedata.category(character) in ("Mc", "Sc")
        for character in lost
    ):
        message = f"{len(lost)} characters have no form in the GSM-7 alphabet that the template insists on"
        remedy = "set sms.alphabet to transliterate, or leave these characters out of the text"
        return spelt, None, (Finding("sms-alphabet", message, remedy, piece_id, Channel.SMS),)
    if lost:
        message = f"{len(lost)} symbols have no form in the GSM-7 alphabet and were left out"
        remedy = "take them out of the variant, or set sms.alphabet to transliterate to send them"
        finding = Finding("sms-symbols-dropped", message, remedy, piece_id, Channel.SMS, Severity.WARNING)
        return tidy(spelt), GSM7, (finding,)
    return tidy(spelt), GSM7, ()
