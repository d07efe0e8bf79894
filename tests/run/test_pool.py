"""Promise: a message that takes too long, too much memory or its process with it costs itself alone, and says which limit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import CAMPAIGN, print_workspace
from run.small_workspace import AS_OF

from ccm.run.limits import ComposeLimits, OverTime, bounded_time
from ccm.run.pool import MOST_DEATHS, Pool, WorkerDied

# Twenty thousand rows; the layout engine would need minutes and gigabytes.
DOCUMENT = """\
<!doctype html><html lang="{{ locale.tag }}"><head><title>Notice</title></head><body><h1>Notice</h1><table>
{% for outer in range(200 if customer.name == "Bomb" else 1) %}{% for inner in range(100 if customer.name == "Bomb" else 2) %}
<tr><td>{{ inner }}</td><td>b</td><td>c</td></tr>{% endfor %}{% endfor %}
</table></body></html>
"""
BOMB = 4
PEOPLE = 10


def begin() -> None:
    """Set up nothing."""


def begin_in_vain() -> None:
    """Die before anything is made."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(items: tuple[str, ...]) -> tuple[str, ...]:
    """Do what the items say."""
    for item in items:
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "hang":
            time.sleep(600)
    return tuple(item.upper() for item in items)


def died(item: str) -> str:
    """Stand for what could not be made."""
    return f"{item} died"


def swallow_once(caught: list[OverTime]) -> None:
    """Compute for ever, and go on once where it should have stopped."""
    while True:
        try:
            sum(range(10_000))
        except OverTime as over:
            caught.append(over)
            if len(caught) > 1:
                raise


@pytest.fixture
def pool() -> Iterator[Pool[str, str]]:
    """Two processes that wait three seconds for an item."""
    opened: Pool[str, str] = Pool(2, begin, (), work, died, 3.0)
    yield opened
    opened.close()


def test_only_the_item_that_kills_its_process_is_lost(pool: Pool[str, str]) -> None:
    """The others of its group and of later groups are made, in order."""
    groups = [("a", "b"), ("c", "die", "d"), ("e",), ("f", "g"), ("h", "die"), ("i",)]
    expected = [tuple("die died" if one == "die" else one.upper() for one in group) for group in groups]
    assert list(pool.results(groups)) == expected


def test_an_item_that_hangs_is_killed(pool: Pool[str, str]) -> None:
    """Whatever it waits for; the rest goes on."""
    assert list(pool.results([("a", "hang"), ("b",)])) == [("A", "hang died"), ("B",)]


def test_groups_are_read_as_they_are_needed(pool: Pool[str, str]) -> None:
    """A bounded number ahead, so that memory does not grow with a run."""
    read = []

    def groups() -> Iterator[tuple[str, ...]]:
        for number in range(40):
            read.append(number)
            yield (str(number),)

    for number, made in enumerate(pool.results(groups())):
        assert made == (str(number),)
        assert len(read) <= number + 1 + 4
    assert len(read) == 40


def test_processes_that_always_die_end_the_run(pool: Pool[str, str]) -> None:
    """It is not the messages then; nobody is held for it."""
    with pytest.raises(WorkerDied, match="same command again"):
        list(pool.results([("die",) * (MOST_DEATHS + 1)]))
    vain: Pool[str, str] = Pool(1, begin_in_vain, (), work, died, 3.0)
    try:
        with pytest.raises(WorkerDied):
            list(vain.results([("a",)]))
    finally:
        vain.close()


def test_time_is_bounded_even_where_exceptions_are_swallowed() -> None:
    """Computing counts, waiting does not; a layout engine that catches everything is called again."""
    caught = []
    with pytest.raises(OverTime), bounded_time(ComposeLimits(1, 0)):
        swallow_once(caught)
    assert len(caught) == 2
    with bounded_time(ComposeLimits(1, 0)):
        time.sleep(1.2)
    with bounded_time(ComposeLimits(0, 0)):
        sum(range(10_000))


@pytest.mark.parametrize(
    ("limits", "workers", "said"),
    [
        ("compose_seconds: 3, compose_memory_mb: 0", "2", "took longer"),
        ("compose_seconds: 3, compose_memory_mb: 0", "1", "took longer"),
        ("compose_seconds: 120, compose_memory_mb: 220", "2", ""),
    ],
)
def test_a_bomb_costs_its_own_document(tmp_path: Path, limits: str, workers: str, said: str) -> None:
    """Twenty thousand rows are held with an error that names the limits; everybody else gets a letter."""
    rows = [
        f"P-{n:03},{'Bomb' if n == BOMB else f'Person {n}'},Person {n},1 High Street,AB1 2CD,Bristol,GB"
        for n in range(PEOPLE)
    ]
    campaign = CAMPAIGN + f"limits: {{held_share: 0.5, {limits}}}\n"
    root = print_workspace(
        tmp_path / "w",
        rows,
        "folder: print",
        templates__notice__document_dot_html=DOCUMENT,
        campaigns__news_dot_yaml=campaign,
    )
    with ForkedCcm() as ccm:
        ended = ccm("run", "news", "--as-of", AS_OF, "--workers", workers, "--json", cwd=root)
    assert ended.code == 1, ended.stderr
    assert ended.json["outcomes"] | {"accepted": PEOPLE - 1, "held": 1} == ended.json["outcomes"]
    assert ended.json["findings"].get("composing-over-limit") == 1, ended.json["findings"]
    (held,) = ended.json["attention"]
    assert held["recipient"] == f"P-{BOMB:03}"
    assert said in held["detail"]
    assert "seconds of computing" in held["detail"]
