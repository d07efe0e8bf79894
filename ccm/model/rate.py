"""How fast a provider may be used, as it is written in ccm.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_SHORT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|second|min|minute|h|hour|day)\s*")
_SECONDS = {"s": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}


class RateLimit(BaseModel):
    """The hand-overs that a provider takes; all runs of all machines on one ledger share them.

    A short form is a text: `14/s`, `600/min`, `50000/day`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_second: float | None = Field(None, gt=0, le=100_000, description="Hand-overs a second, evenly spaced.")
    per_day: int | None = Field(None, ge=1, description="Hand-overs in any 24 hours.")
    per: Literal["provider", "sender"] = Field(
        "provider", description="What the limit holds for: the whole provider, or each sender address or number."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        match = _SHORT.fullmatch(given)
        if not match:
            raise ValueError('write a rate as "14/s", "600/min" or "50000/day"')
        number, unit = float(match[1]), match[2]
        if unit == "day":
            return {"per_day": int(number)}
        return {"per_second": number / _SECONDS[unit]}

    @model_validator(mode="after")
    def _says_something(self) -> RateLimit:
        if self.per_second is None and self.per_day is None:
            raise ValueError("name per_second, per_day or both")
        return self


@dataclass(frozen=True)
class Grant:
    """Moments at which a process may begin a hand-over.

    first: Seconds since 1970; count: how many; interval: seconds between two of them.
    until: With count 0: when the day's quota has room again.
    """

    first: float
    count: int
    interval: float
    until: float = 0.0
