"""A command that must ask before every system call of some kinds, and may be killed, refused, or let go on.

The kernel asks (seccomp user notification): calls of other kinds run at full speed, unlike under a debugger. What is
counted, and what happens at the n-th call of a thread, is as with `strace -e inject=CALL:signal=KILL:when=N`.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html#userspace-notification
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress

# Numbers of system calls: x86-64 has its own, aarch64 the generic ones, which lack the older forms.
NUMBERS = {
    "x86_64": {
        "write": 1, "close": 3, "pwrite64": 18, "connect": 42, "sendto": 44, "recvfrom": 45, "fsync": 74, "fdatasync": 75,
        "ftruncate": 77, "rename": 82, "mkdir": 83, "link": 86, "unlink": 87, "futex": 202, "openat": 257, "mkdirat": 258,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "renameat2": 316, "seccomp": 317,
    },
    "aarch64": {
        "write": 64, "close": 57, "pwrite64": 68, "connect": 203, "sendto": 206, "recvfrom": 207, "fsync": 82, "fdatasync": 83,
        "ftruncate": 46, "futex": 98, "openat": 56, "mkdirat": 34, "unlinkat": 35, "renameat": 38, "linkat": 37,
        "renameat2": 276, "seccomp": 277,
    },
}  # fmt: skip
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _NEW_LISTENER, _NO_SIGNALS = 1, 1 << 3, 1 << 5
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_GO_ON = 1
_REQUEST = struct.Struct("=QIIiIQ6Q")  # id, thread, flags, call, architecture, instruction, arguments
_RESPONSE = struct.Struct("=QqiI")  # id, value, error, flags

Decide = Callable[[int, str], int | None]  # thread and call → None to let it go on, an errno, or KILLED
KILLED = -1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


# ── in the command ───────────────────────────────────────────────────────────


def ask_before(calls: Iterable[str], address: str) -> None:
    """From now on, have every such call of this process wait for an answer of whoever listens at an address."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)  # before: nobody could answer for this call
        listener = _install(calls)
        socket.send_fds(line, [b"!"], [listener])
        os.close(listener)


def _install(calls: Iterable[str]) -> int:
    numbers = NUMBERS[platform.machine()]
    asked = [numbers[call] for call in calls if call in numbers]
    code = [(_LOAD, 0, 0, 4), (_EQUALS, 0, len(asked) + 1, _AUDIT_ARCH[platform.machine()]), (_LOAD, 0, 0, 0)]
    code += [(_EQUALS, len(asked) - place, 0, number) for place, number in enumerate(asked)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ASK)]
    program = _Program(len(code), b"".join(struct.pack("=HBBI", *one) for one in code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for flags in (_NEW_LISTENER | _NO_SIGNALS, _NEW_LISTENER):  # the second for kernels before 5.19
        listener = int(libc.syscall(numbers["seccomp"], _SET_FILTER, flags, ctypes.byref(program)))
        if listener >= 0:
            return listener
    raise OSError(ctypes.get_errno(), "this kernel does not let a process be asked about (seccomp)")


# ── in the suite ─────────────────────────────────────────────────────────────


class Listening:
    """Where one command will ask; use as a context around its start."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind("")  # a name of the kernel's choice
        self._socket.listen(1)
        self._socket.settimeout(60)
        self.address = "\0" + self._socket.getsockname()[1:].decode()
        self._names = {number: call for call, number in NUMBERS[platform.machine()].items()}

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def answer(self, pid: int, decide: Decide) -> None:
        """Answer until the command has ended."""
        line = self._socket.accept()[0]
        with line:
            _, (listener, *_), _, _ = socket.recv_fds(line, 1, 1)
        try:
            waiting = select.poll()
            waiting.register(listener, select.POLLIN)
            while waiting.poll()[0][1] & select.POLLIN:
                self._answer_one(listener, pid, decide)
        finally:
            os.close(listener)

    def _answer_one(self, listener: int, pid: int, decide: Decide) -> None:
        request = bytearray(_REQUEST.size)
        with suppress(FileNotFoundError, InterruptedError):  # it died meanwhile
            fcntl.ioctl(listener, _RECEIVE, request)
            ident, thread, _, number, *_ = _REQUEST.unpack(request)
            decided = decide(thread, self._names[number])
            if decided == KILLED:
                os.kill(pid, 9)
                return
            response = _RESPONSE.pack(ident, 0, -(decided or 0), 0 if decided else _GO_ON)
            fcntl.ioctl(listener, _ANSWER, bytearray(response))


def error_number(name: str) -> int:
    """Return an error's number by its name."""
    return int(getattr(errno, name))
