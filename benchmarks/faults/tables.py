"""What is proved case by case and needs no killed run: its tests are run, and each case counts as one fault."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.faults.progress import PROGRESS
from benchmarks.faults.tools import ROOT
from benchmarks.faults.verdict import Tally

HTTP_ADAPTERS = (
    "test_bluesky.py::TestBlueskyFaults", "test_end_user_messaging.py::TestFaults", "test_facebook.py::TestFacebookFaults",
    "test_linkedin.py::TestLinkedInFaults", "test_mastodon.py::TestMastodonFaults", "test_s3.py::TestFaults",
    "test_ses.py::TestFaults", "test_sns.py::TestFaults", "test_twilio.py::TestFaults", "test_webhook.py::TestWebhookFaults",
    "test_x.py::TestXFaults", "test_http_faults.py",
)  # fmt: skip
ROWS: Mapping[str, tuple[str, ...]] = {
    "HTTP adapters, 12 faults each": tuple(f"tests/deliver/{one}" for one in HTTP_ADAPTERS),
    "together: 16 outcomes x 3 policies": ("tests/run/test_group_table.py",),
    "webhooks: forged, replayed, shuffled": (
        "tests/events/test_sns_events.py", "tests/events/test_twilio_events.py", "tests/serve/test_hooks.py",
        "tests/run/test_events.py",
    ),
    "canaries in logs and after erasure": (
        "tests/e2e/test_no_personal_data.py", "tests/run/test_erasing.py", "tests/run/test_forgetting.py",
    ),
    "permission, 24 time zones": ("tests/plan/test_permission_table.py", "tests/plan/test_timing.py"),
}  # fmt: skip


def all_tables(quick: bool = False) -> Iterator[Tally]:
    """Run the tests; quick runs none, for they are tests already."""
    if not quick:
        for name, tests in ROWS.items():
            yield tried(name, tests)


def tried(name: str, tests: tuple[str, ...]) -> Tally:
    """Run some tests in a process of their own and count their cases."""
    tally = Tally(name)
    started = time.monotonic()
    PROGRESS.begin(name, 0)
    with tempfile.TemporaryDirectory(prefix="ccm-tables-") as folder:
        told = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={told}", *tests]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            tally.fail(name, f"pytest ended with {done.returncode}: {done.stdout[-300:]}")
        cases = ElementTree.parse(told).getroot().iter("testcase") if told.exists() else ()
        for case in cases:
            outcome = {child.tag for child in case} & {"failure", "error", "skipped"}
            if "skipped" not in outcome:
                tally.count()
            if outcome - {"skipped"}:
                tally.fail(f"{case.get('classname')}::{case.get('name')}", "failed")
    if not tally.kills:
        tally.fail(name, "no test was run")
    tally.seconds = time.monotonic() - started
    return tally
