"""One engine in a process of its own, so that its first document and its memory are its own.

    python -m benchmarks.pdf.child NAME FOLDER

Reads orders from standard input, a JSON object a line, and answers each with one. Seconds are of this process's processor
time, threads included. `{"start": 0, "count": 6}` makes documents; `"keep": folder` writes them there too.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any


def serve(name: str, folder: Path) -> None:
    """Answer orders until there are no more."""
    from benchmarks.pdf.engines import engine

    made = engine(name, folder)
    for line in sys.stdin:
        order = json.loads(line)
        keep = order.get("keep")
        began = time.process_time()
        sizes = []
        for number, content in enumerate(made.make(order["start"], order["count"]), order["start"]):
            sizes.append(len(content))
            if keep:
                (Path(keep) / f"{number}.pdf").write_bytes(content)
        ended = time.process_time()
        answer = {
            "documents": len(sizes),
            "seconds": ended - began,
            "since_start": ended,  # processor time counts from the start of the process, imports included
            "bytes": sum(sizes),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "slow": dict(getattr(made, "slow", {})),
        }
        print(json.dumps(answer), flush=True)


class Child:
    """The parent's end."""

    def __init__(self, name: str, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.pdf.child", name, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def make(self, start: int, count: int, keep: Path | None = None) -> dict[str, Any]:
        """Let it make documents, and return its answer.

        Raises:
            SystemExit: If the engine failed; its words are on standard error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"start": start, "count": count, "keep": str(keep) if keep else None}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self._process.args))} failed")  # type: ignore[arg-type]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=60)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
