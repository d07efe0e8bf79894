"""The real `ccm` command, many times and fast: one process imports it, every command is a fork of that process.

All tests of a test process share the importing one: importing takes longer than a command.
A command may be told to die by SIGKILL at its n-th call of a function of ours, in whatever thread that is.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = str(ROOT / "ccm") + os.sep


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    code: Exit code; minus the signal's number when it was killed, as subprocess says it.
    calls: Calls of our functions since the run began, where counting was asked for.
    """

    code: int
    stdout: str
    stderr: str
    calls: int = 0

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.stdout)


class ForkedCcm:
    """The command; a call takes arguments and a folder and waits for its end. A context, so that tests may say how long."""

    def __enter__(self) -> ForkedCcm:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the importing process to the next test; it ends with this one."""

    def __call__(
        self,
        *args: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        die_at: int = 0,
        count: bool = False,
        largest_file: int = 0,
    ) -> Ended:
        """Run `ccm ARGS` in a folder.

        Args:
            env: Variables beside those of this process, of which CCM_ and COV_ are left out.
            die_at: Call of one of our functions at which it is killed, from 1; 0 never.
            largest_file: Bytes; writing more fails as on a full disk would (EFBIG for ENOSPC).
        """
        task = {
            "args": args, "cwd": str(cwd), "env": environment() | dict(env or {}),
            "die_at": die_at, "count": count, "largest_file": largest_file,
        }  # fmt: skip
        with _one_at_a_time:
            process = importing_process(os.getpid())
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            return Ended(**json.loads(process.stdout.readline()))


_one_at_a_time = threading.Lock()


def environment() -> dict[str, str]:
    """Return this process's variables as a command of a user would see them."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("CCM_", "COV_"))}
    return {**mine, "COLUMNS": "200"}


@cache
def importing_process(parent: int) -> subprocess.Popen[str]:
    """Start the process that imports, once in a test process; a fork of that one starts its own."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    def stop() -> None:
        if os.getpid() == parent:
            stdin.close()
            stdout.close()
            process.terminate()  # a process that a test forked and left may still hold the pipe
            process.wait(30)

    atexit.register(stop)
    return process


# ── inside the importing process ─────────────────────────────────────────────


def serve() -> None:
    """Import everything that commands import, then fork once for every line."""
    import_everything()
    for line in sys.stdin:
        print(json.dumps(run_forked(json.loads(line))), flush=True)


def import_everything() -> None:
    """Import the engine whole and the libraries that its commands import when they are used.

    What costs a command most is importing, and hundreds of commands would each pay for what is left out here. A ledger is
    made because Alembic and SQLAlchemy find modules of their own by then.
    """
    import ccm

    for module in pkgutil.walk_packages(ccm.__path__, "ccm."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions" not in module.name:
            importlib.import_module(module.name)
    for name in ("structlog", "rich.console", "alembic.context", "inscriptis", "lxml.html"):
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        importlib.import_module("ccm.ledger.sql").open_ledger("sqlite:///ledger.db", folder).close()
    gc.freeze()  # so that a fork's collector does not copy all of it


def run_forked(task: dict[str, Any]) -> dict[str, Any]:
    """Fork, read what it says until it ends, and tell how it ended."""
    pipes = {name: os.pipe() for name in ("stdout", "stderr", "calls")}
    child = os.fork()
    if child == 0:
        run_child(task, {name: writing for name, (_, writing) in pipes.items()})
    for _, writing in pipes.values():
        os.close(writing)
    said = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for name, (reading, _) in pipes.items():
            selector.register(reading, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                if read := os.read(key.fd, 65536):
                    said[key.data] += read
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    _, status = os.waitpid(child, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": said["stdout"].decode(),
        "stderr": said["stderr"].decode(),
        "calls": int(said["calls"] or 0),
    }


def run_child(task: dict[str, Any], pipes: Mapping[str, int]) -> None:
    """Be the command; never returns."""
    os.dup2(pipes["stdout"], 1)
    os.dup2(pipes["stderr"], 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.chdir(task["cwd"])
    os.environ.clear()
    os.environ.update(task["env"])
    if task["largest_file"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["largest_file"], task["largest_file"]))
    counter = Counter(task["die_at"])
    if task["die_at"] or task["count"]:
        counter.start()
    code = 70
    try:
        from ccm.cli import main

        sys.argv = ["ccm", *task["args"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.setprofile(None)
        sys.stdout.flush()
        sys.stderr.flush()
        if task["count"]:
            os.write(pipes["calls"], str(counter.calls).encode())
        os._exit(code)


class Counter:
    """Counts calls of our functions from the moment a run is begun, in all threads."""

    def __init__(self, die_at: int) -> None:
        self.calls = 0
        self._die_at = die_at
        self._begun = False

    def start(self) -> None:
        """Begin to look."""
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(OURS):
            return
        self._begun = self._begun or frame.f_code.co_name == "run_campaign"
        if self._begun:
            self.calls += 1
            if self.calls == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)


def addresses(outbox: Path) -> Sequence[str]:
    """Return whom the outbox has emails for, one entry per .eml, sorted."""
    found = []
    for path in (outbox / "email").glob("*.eml"):
        details = json.loads(path.with_suffix(".json").read_text())
        found.append(details["address"])
    return sorted(found)


if __name__ == "__main__":
    serve()
