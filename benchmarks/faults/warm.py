"""The real `ccm` command, many times and fast: one process imports it and has run it once, every command is a fork.

A command may be stopped before its first step, so that a tracer can take hold of it; may run under a clock that is
wrong, after another start of the machine, with a mistake of ours in it (`mutants`), or with little room for files.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.faults.tools import ROOT

_PR_SET_PTRACER = 0x59616D61  # Yama allows tracing by relatives only, unless a process says otherwise
_ANY_TRACER = -1


@dataclass(frozen=True)
class Task:
    """One command.

    args: After `ccm`.
    held: It stops before its first step, until SIGCONT comes.
    clock_offset_seconds: How far its clock is wrong.
    boot: Mark of another start of the machine; empty for this one.
    lease_seconds: Shorter than the engine's, where a test waits for it; 0 keeps it.
    mutant: Mistake of ours that it runs with; empty for none.
    asks_before: System calls before which it asks, see `asking`.
    asks_at: Address of who answers.
    largest_file: Bytes; writing more fails, as on a full disk; 0 for no limit.
    """

    args: tuple[str, ...]
    folder: str
    held: bool = False
    clock_offset_seconds: float = 0.0
    boot: str = ""
    lease_seconds: float = 0.0
    mutant: str = ""
    asks_before: tuple[str, ...] = ()
    asks_at: str = ""
    largest_file: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    code: Exit code; minus the signal's number when it was killed.
    """

    code: int
    stdout: str
    stderr: str

    @property
    def killed(self) -> bool:
        """Whether it died by kill -9."""
        return self.code == -signal.SIGKILL

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.stdout)


class Running:
    """A command under way."""

    def __init__(self, owner: WarmCcm, pid: int, folder: Path) -> None:
        self.pid = pid
        self._owner = owner
        self._folder = folder

    def go_on(self) -> None:
        """Let a held command begin, or a stopped one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Freeze it, as a machine does that swaps or is suspended."""
        os.kill(self.pid, signal.SIGSTOP)

    def wait(self) -> Ended:
        """Wait for its end; commands beside it may begin and end meanwhile."""
        end = os.pidfd_open(self.pid)
        try:
            select.select([end], [], [])
        finally:
            os.close(end)
        code = self._owner.code_of(self.pid)
        return Ended(code, said(self._folder / "stdout"), said(self._folder / "stderr"))


class WarmCcm:
    """Keeps one warm process; use as a context. Commands of one may run side by side."""

    def __init__(self, warm_up: Path | None = None, variables: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            warm_up: Workspace in which it runs once, so that what is compiled once is compiled.
            variables: Of the environment, for it and all commands.
        """
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CCM_", "COV_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.faults.warm", *([str(warm_up)] if warm_up else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**environment, "COLUMNS": "200", **(variables or {})},
        )  # fmt: skip
        self._lock = threading.Lock()
        self._folder = Path(self._ask({"hello": True})["folder"])

    def __enter__(self) -> WarmCcm:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """Of the warm process."""
        return self._process.pid

    def begin(self, task: Task) -> Running:
        """Begin a command; a held one stands still before its first step."""
        pid = self._ask({"task": asdict(task)})["pid"]
        return Running(self, pid, self._folder / str(pid))

    def __call__(self, *args: str, folder: Path, **options: Any) -> Ended:
        """Run `ccm ARGS` in a folder to its end."""
        return self.begin(Task(args, str(folder), **options)).wait()

    def code_of(self, pid: int) -> int:
        """Return how a command ended that is no more."""
        code: int = self._ask({"wait": pid})["code"]
        return code

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            return answer


_starting = threading.Lock()


def shared() -> WarmCcm:
    """Return the warm process that everybody may use who needs no environment of their own; it ends with this one.

    Why: Importing and running once costs ten times what a command of a warm process costs.
    """
    with _starting:
        return _started()


@functools.cache
def _started() -> WarmCcm:
    with tempfile.TemporaryDirectory(prefix="ccm-warm-up-") as folder:
        from benchmarks.faults.workplace import warm_up

        ccm = WarmCcm(warm_up(Path(folder) / "workspace"))
    atexit.register(ccm.__exit__, None, None, None)
    return ccm


def shared_seconds() -> float:
    """Return what the shared process and its commands have used of the processors; 0 before it was asked for."""
    if not _started.cache_info().currsize:
        return 0.0
    fields = Path(f"/proc/{shared().pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def said(path: Path) -> str:
    """Return what a command wrote, and take the file away."""
    text = path.read_text(errors="replace") if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


# ── inside the warm process ──────────────────────────────────────────────────


def serve(warm_up: Path | None) -> None:
    """Import everything, run once, then answer lines until there are no more."""
    import shutil

    folder = Path(tempfile.mkdtemp(prefix="ccm-warm-"))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import_everything()
    if warm_up is not None:
        run_here(warm_up)
    gc.collect()
    gc.freeze()  # or the first collection in every fork copies all pages
    try:
        for line in sys.stdin:
            question = json.loads(line)
            if "task" in question:
                answer: dict[str, Any] = {"pid": fork(Task(**question["task"]), folder)}
            elif "wait" in question:
                answer = {"code": os.waitstatus_to_exitcode(os.waitpid(question["wait"], 0)[1])}
            else:
                answer = {"folder": str(folder)}
            print(json.dumps(answer), file=answers, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_everything() -> None:
    """Import what commands import when they need it, and read the installed distributions once."""
    import encodings.idna

    import alembic.command
    import alembic.context
    import psycopg

    import ccm.cli.report
    import ccm.cli.run
    import ccm.deliver.smtp
    import ccm.ledger.sql
    import ccm.plugins
    import ccm.run

    assert alembic.command
    assert encodings.idna
    assert psycopg.__version__
    ccm.plugins.entry_points = functools.cache(ccm.plugins.entry_points)  # type: ignore[attr-defined,assignment]


def run_here(workspace: Path) -> None:
    """Run the campaign of a workspace in this very process."""
    from benchmarks.faults.workplace import RUN

    main_of_ccm(RUN, workspace)
    os.chdir("/")


def main_of_ccm(args: Sequence[str], folder: str | Path) -> int:
    """Run `ccm ARGS` and return its exit code."""
    from ccm.cli import main

    os.chdir(folder)
    sys.argv = ["ccm", *args]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def fork(task: Task, folder: Path) -> int:
    """Begin a command in a fork; returns its process id once it stands still or runs."""
    child = os.fork()
    if child == 0:
        be_the_command(task, folder)
    if task.held:
        os.waitpid(child, os.WUNTRACED)
    return child


def be_the_command(task: Task, folder: Path) -> None:
    """Be the command; never returns."""
    own = folder / str(os.getpid())
    own.mkdir(exist_ok=True)
    os.dup2(os.open(own / "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(os.open(own / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    code = 70
    try:
        from benchmarks.faults.asking import ask_before
        from benchmarks.faults.circumstances import arrange

        arrange(task)
        if task.held:
            be_traceable()
            os.kill(os.getpid(), signal.SIGSTOP)
        if task.asks_at:
            ask_before(task.asks_before, task.asks_at)
        code = main_of_ccm(task.args, task.folder)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def be_traceable() -> None:
    """Let a tracer that is no parent take hold of this process."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_long(_ANY_TRACER), 0, 0, 0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]) if sys.argv[1:] else None)
