"""python -m benchmarks.faults.simulation SEED: play one history and tell it, line by line."""

from __future__ import annotations

import sys

from benchmarks.faults.simulation.history import Chaos
from benchmarks.faults.simulation.many import quiet_logs
from benchmarks.faults.simulation.world import Broken


def main() -> int:
    """Play and print; 1 where a promise was broken."""
    quiet_logs()
    chaos = Chaos(sys.argv[1])
    try:
        chaos.play()
    except Broken as error:
        chaos.world.tell("BROKEN", error)
        return 1
    finally:
        print("\n".join(chaos.world.story))
    return 0


if __name__ == "__main__":
    sys.exit(main())
