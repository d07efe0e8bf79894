"""Reading a manifest: is it whole, does it add up, and who signed it? Needs no workspace and no ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from ccm.run.manifest import FORMAT, Sums, signed_message
from ccm.run.signing import PublicKey

_LONGEST_LINE = 1_000_000  # bytes; a line of ours is some hundred


@dataclass(frozen=True)
class Judged:
    """What a manifest is worth.

    faults: What does not fit; empty for a whole one that adds up.
    key: Fingerprint of the key that it names; empty for an unsigned one.
    signed: The signature fits the key that the manifest itself names.
    proved: It fits the key that the reader gave.
    """

    run_id: str
    lines: int
    faults: tuple[str, ...]
    key: str = ""
    signed: bool = False
    proved: bool = False


def judge_manifest(lines: Iterable[bytes], key: PublicKey | None) -> Judged:
    """Read a manifest line by line; memory does not grow with it.

    Args:
        key: The signer's, known by another way; None proves nothing about who signed.
    """
    reading = _Reading()
    last = b""
    for line in lines:
        if last:
            reading.take(last)
        last = line
    return reading.judged(last, key)


class _Reading:
    """One manifest while it is read."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._lines = 0
        self._faults: list[str] = []
        self._head: Mapping[str, Any] = {}
        self._told: Mapping[str, Any] | None = None
        self._sums = Sums()

    def take(self, line: bytes) -> None:
        """Count a line that is not the last one."""
        self._hash.update(line)
        self._lines += 1
        record = _record(line)
        try:
            if self._lines == 1:
                self._head = record
            elif "piece" in record:
                self._sums.add_piece(record)
            elif "exception" in record:
                self._sums.add_outcome(str(record["recipient"]), str(record["outcome"]), str(record["reason"]))
            elif "sums" in record and self._told is None:
                self._told = record["sums"]
            else:
                self._fault(f"line {self._lines} is no line of a manifest")
        except KeyError as missing:
            self._fault(f"line {self._lines} has no {missing}")

    def judged(self, last: bytes, key: PublicKey | None) -> Judged:
        """Judge the whole with its last line."""
        end = _record(last)
        seal = self._hash.hexdigest()
        if self._head.get("manifest") != FORMAT:
            self._fault(f"this is no {FORMAT}")
            return Judged("", self._lines, tuple(self._faults))
        if "seal" not in end:
            self._fault("its last line is missing: it was cut off")
        elif end["seal"] != seal:
            self._fault("a line was changed, added or taken out: the seal does not fit")
        if self._told is None:
            self._fault("it has no sums")
        else:
            self._compare(self._told)
        return self._signed(end, seal, key)

    def _signed(self, end: Mapping[str, Any], seal: str, key: PublicKey | None) -> Judged:
        named, signature = self._head.get("public_key"), end.get("signature")
        run_id = str(self._head.get("run", ""))
        if not isinstance(named, str) or not isinstance(signature, str):
            return Judged(run_id, self._lines + 1, tuple(self._faults))
        own = PublicKey(named)
        message = signed_message(seal)
        signed = own.proves(signature, message)
        if not signed:
            self._fault("the signature is not of the key that it names")
        elif key is not None and key != own:
            self._fault(f"it was signed with another key, {own.fingerprint}, not with {key.fingerprint}")
        proved = signed and key is not None and key.proves(signature, message)
        return Judged(run_id, self._lines + 1, tuple(self._faults), own.fingerprint, signed, proved)

    def _compare(self, told: Mapping[str, Any]) -> None:
        """Hold the sums against the lines, and in against out."""
        counted = self._sums.as_json()
        for name in ("exceptions", "pieces", "pages", "segments", "bytes"):
            if told.get(name) != counted[name]:
                self._fault(f"the sums of {name} are not those of its lines")
        try:
            exceptions = sum(count for reasons in told["exceptions"].values() for count in reasons.values())
            if told["in"] != told["out"] + exceptions or told["undecided"]:
                self._fault(f"in {told['in']} is not out {told['out']} + exceptions {exceptions}")
            for total in told["totals"]:
                rest = sum((Decimal(amount) for amount in total["exceptions"].values()), Decimal(0))
                if Decimal(total["in"]) != Decimal(total["out"]) + rest:
                    self._fault(f"the control total {total['fact']} {total['currency']} does not balance")
            if not told["balanced"]:
                self._fault("it says itself that it does not balance")
        except (KeyError, TypeError, AttributeError, InvalidOperation):
            self._fault("its sums cannot be read")

    def _fault(self, text: str) -> None:
        if text not in self._faults and len(self._faults) < 20:
            self._faults.append(text)


def _record(line: bytes) -> Mapping[str, Any]:
    if len(line) > _LONGEST_LINE:
        return {}
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}
