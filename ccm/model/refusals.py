"""What a provider's refusal of one piece says beyond the piece."""

from __future__ import annotations

from enum import StrEnum


class AddressFault(StrEnum):
    """The address must not be used again."""

    OPTED_OUT = "opted-out"  # its holder wants no more on this channel
    NO_SUCH_ADDRESS = "no-such-address"  # nobody has it
