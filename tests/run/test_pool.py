"""Promise: a message that takes too long, too much memory or its process with it costs itself alone, and says which limit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from e2e.forked_ccm import Ended, ForkedCcm
from e2e.print_workspace import CAMPAIGN, print_workspace
from run.small_workspace import AS_OF, people, small_workspace

from ccm.compose import Composer
from ccm.load import load_workspace
from ccm.model.records import Communication, Composed, OutcomeKind
from ccm.run import RunOptions, run_campaign
from ccm.run.forking import Spent
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
FEW_PEOPLE = 4
_left_behind: list[str] = []  # what a process cannot get rid of
_tries: list[Path] = []  # a file that says what was tried, and by whom


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


def begin_to_tell(file: str) -> None:
    """Tell in a file what is tried."""
    _tries.append(Path(file))


def work_until_spent(items: tuple[str, ...]) -> tuple[str, ...] | Spent[str]:
    """Refuse bombs, and whatever is wanted of a process that had one; "heavy" is too much for a process that made things."""
    made: list[str] = []
    for item in items:
        with _tries[0].open("a") as file:
            file.write(f"{item} {os.getpid()}\n")
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        refused = item in ("bomb", "late") or "bomb" in _left_behind or (item == "heavy" and bool(_left_behind))
        _left_behind.append("bomb" if refused else item)
        made.append(f"{item} refused" if refused else item.upper())
        if refused:
            return Spent(tuple(made), unsure=item != "late")
    return tuple(made)


def forget() -> None:
    """Begin as a copy, with nothing left behind but what a bomb left."""
    _left_behind[:] = [one for one in _left_behind if one == "bomb"]


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


BOMBS = ("bomb",) * (MOST_DEATHS + 1)


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param([("a", "bomb", "b"), ("c",), ("d",), ("e",)], id="first process"),
        pytest.param([("a", "bomb"), ("b", "bomb"), ("c",), ("d", "bomb")], id="last of a group"),
        pytest.param([("a",), ("b",), ("c", "bomb", "d", "e", "bomb", "bomb", "f"), ("g", "h")], id="copies"),
        pytest.param([("a",), ("b",), *[("c", "bomb", "d")] * 9], id="every group"),
        pytest.param([(*BOMBS, "a"), ("b",), ("c",), (*BOMBS, "d"), BOMBS, ("e",)], id="many in a row"),
        pytest.param([("a",), ("b",), ("c", "die", "bomb", "d", "bomb"), ("bomb", "die", "e")], id="one by one"),
        pytest.param([("a", "heavy", "heavy", "b"), ("heavy",), ("d", "e", "heavy", "heavy")], id="too much together"),
        pytest.param([("a", "late", "b"), ("late",), ("c", "late")], id="too late"),
    ],
)
def test_a_process_that_is_spent_makes_way(tmp_path: Path, groups: list[tuple[str, ...]]) -> None:
    """What a bomb leaves behind costs nobody, however many there are and wherever they stand; it does not count as a death."""
    said = {"bomb": "bomb refused", "late": "late refused", "die": "die died"}
    file = tmp_path / "tries"
    crew: Pool[str, str] = Pool(2, begin_to_tell, (str(file),), work_until_spent, died, 60.0, forget)
    try:
        made = list(crew.results(groups))
    finally:
        crew.close()
    assert made == [tuple(said.get(item, item.upper()) for item in group) for group in groups]
    tries = [line.split() for line in file.read_text().splitlines()]
    items = [item for group in groups for item in group]
    assert [item for item, _ in tries].count("late") == items.count("late")
    assert [item for item, _ in tries].count("bomb") <= 2 * items.count("bomb")
    for item, process in tries:
        assert item not in BOMBS or [one for one in tries if one[1] == process][-1] == [item, process]


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
    ended = ran_with_bombs(tmp_path, [BOMB], PEOPLE, limits, workers)
    assert ended.code == 1, ended.stderr
    assert ended.json["outcomes"] | {"accepted": PEOPLE - 1, "held": 1} == ended.json["outcomes"]
    assert ended.json["findings"].get("composing-over-limit") == 1, ended.json["findings"]
    (held,) = ended.json["attention"]
    assert held["recipient"] == f"P-{BOMB:03}"
    assert said in held["detail"]
    assert "seconds of computing" in held["detail"]


def test_bombs_in_a_row_cost_nobody_else(tmp_path: Path) -> None:
    """For want of memory, in processes that are replaced: the few people around them get their letters.

    Why two: each costs seconds; that more in a row than processes may die are held is proved with a pool above.
    """
    bombs = range(FEW_PEOPLE // 2, FEW_PEOPLE // 2 + 2)
    people = FEW_PEOPLE + len(bombs)
    ended = ran_with_bombs(tmp_path, bombs, people, "compose_seconds: 120, compose_memory_mb: 220", "2")
    assert ended.code == 1, ended.stderr
    assert ended.json["outcomes"] | {"accepted": FEW_PEOPLE, "held": len(bombs)} == ended.json["outcomes"]
    assert ended.json["findings"].get("composing-over-limit") == len(bombs), ended.json["findings"]


def test_one_process_begins_anew_after_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered by halves when composing was interrupted is not there for the next message."""
    compose = Composer.compose
    spoilt: list[Composer] = []

    def interrupted(self: Composer, one: Communication) -> Composed:
        if one.recipient_id == "P-001":
            spoilt.append(self)
            raise OverTime
        assert self not in spoilt
        return compose(self, one)

    monkeypatch.setattr(Composer, "compose", interrupted)
    workspace, _ = load_workspace(small_workspace(tmp_path, people(4)), lint=False)
    assert workspace
    report = run_campaign(workspace, "news", RunOptions())
    assert (report.outcomes[OutcomeKind.ACCEPTED], report.outcomes[OutcomeKind.HELD]) == (3, 1)
    assert len(spoilt) == 1


def ran_with_bombs(folder: Path, bombs: Sequence[int], number: int, limits: str, workers: str) -> Ended:
    """Run a campaign of letters to so many people, some of whom cannot have one."""
    rows = [
        f"P-{n:03},{'Bomb' if n in bombs else f'Person {n}'},Person {n},1 High Street,AB1 2CD,Bristol,GB"
        for n in range(number)
    ]
    campaign = CAMPAIGN + f"limits: {{held_share: 0.9, {limits}}}\n"
    root = print_workspace(
        folder / "w",
        rows,
        "folder: print",
        templates__notice__document_dot_html=DOCUMENT,
        campaigns__news_dot_yaml=campaign,
    )
    with ForkedCcm() as ccm:
        return ccm("run", "news", "--as-of", AS_OF, "--workers", workers, "--json", cwd=root)
