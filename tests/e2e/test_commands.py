"""The command line as people and programs meet it: exit codes, stdout apart from stderr, JSON, examples."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from e2e.forked_ccm import ForkedCcm, addresses
from run.small_workspace import AS_OF, people, small_workspace

from ccm.cli import COMMANDS, cli

ESCAPE = "\x1b["
RUN = ("run", "news", "--as-of", AS_OF)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of three customers that nothing was done with."""
    return small_workspace(tmp_path / "w", people(3))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_gives_an_example(name: str) -> None:
    """Every command explains itself with an example that begins with its own name."""
    shown = CliRunner().invoke(cli, [name, "--help"], prog_name="ccm")
    assert shown.exit_code == 0
    assert f"Example: ccm {name}" in " ".join(shown.stdout.split())
    assert shown.stderr == ""


def test_help_loads_nothing_that_a_command_needs() -> None:
    """`ccm --help` answers at once, because it imports click and rich and none of the engine."""
    program = (
        "import sys; sys.argv = ['ccm', '--help']\n"
        "from ccm.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'jinja2', 'babel', 'sqlalchemy', 'weasyprint', 'yaml', 'boto3', 'twilio', 'structlog'}\n"
        "ours = [name for name in sys.modules if name.startswith('ccm') and not name.startswith('ccm.cli')]\n"
        "print(sorted(heavy & set(sys.modules)), sorted(ours), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "preview" in ended.stdout
    assert ended.stderr.strip() == "[] ['ccm', 'ccm.diagnostics']"


def test_unknown_words_end_with_2_or_3_and_the_nearest_name(ccm: ForkedCcm, root: Path) -> None:
    """A misspelt command or option is usage (2), a misspelt campaign or customer is configuration (3)."""
    for args, code, hint in (
        (("rum",), 2, "No such command"),
        (("run",), 2, "CAMPAIGN"),
        (("run", "news", "--as-of", "tomorrow"), 2, "2026-11-02T11:30Z"),
        (("run", "news", "--as-of", "2026-11-02T11:30"), 2, "offset"),
        (("preview", "news", "--customer", "P-001", "--channel", "emial"), 2, "email"),
        (("preview", "news", "--customer", "P-001", "--locale", "klingon"), 2, "de-DE"),
        (("run", "newz"), 3, '"news"'),
        (("check", "newz"), 3, '"news"'),
        (("preview", "newz", "--customer", "P-001"), 3, '"news"'),
        (("preview", "news", "--customer", "P-999"), 3, "key column"),
        (("run", "news", "--occurrence", "2026-13"), 3, "once"),
        (("report", "news.onze"), 3, "ccm run"),
        (("check", "--workspace", "nowhere"), 3, "ccm init"),
    ):
        ended = ccm(*args, cwd=root)
        assert ended.code == code, (args, ended)
        assert hint in ended.stderr, (args, ended.stderr)
        assert ended.stdout == ""
        assert "Traceback" not in ended.stderr
        assert "starting" not in ended.stderr  # no progress of a run that did not begin


def test_results_on_stdout_and_the_rest_on_stderr(ccm: ForkedCcm, root: Path) -> None:
    """Every --json is one JSON value on stdout; progress, hints and places of pages go to stderr."""
    checked = ccm("check", "--json", cwd=root)
    assert (checked.code, checked.json, checked.stderr) == (0, [], "")
    ran = ccm(*RUN, "--json", cwd=root)
    assert ran.code == 0
    assert ran.json["outcomes"] == {"accepted": 3, "rejected": 0, "suppressed": 0, "held": 0, "unknown": 0}
    assert {(total["channel"], total["amount"]) for total in ran.json["totals"]} == {("email", "6.75"), ("sms", "6.75")}
    assert [run["run_id"] for run in ccm("status", "--json", cwd=root).json] == ["news.once"]
    assert ccm("status", "other", "--json", cwd=root).json == []
    assert ccm("report", "news.once", "--json", cwd=root).json == ran.json
    history = ccm("history", "P-002", "--json", cwd=root)
    assert {(piece["channel"], piece["state"], piece["facts"]["balance"]) for piece in history.json} == {
        ("email", "accepted", "£2.25"),
        ("sms", "accepted", "£2.25"),
    }
    nobody = ccm("history", "P-999", "--json", cwd=root)
    assert (nobody.code, nobody.json) == (1, [])
    used = ccm("where-used", "plain", "--json", cwd=root)
    assert used.code == 0
    assert "campaigns/news.yaml" in {use["place"].partition(":")[0] for use in used.json}
    assert ccm("where-used", "fragments/none", "--json", cwd=root).code == 1
    seen = ccm("preview", "news", "--customer", "P-003", "--json", cwd=root)
    assert Path(seen.json["page"]).is_file()
    healthy = ccm("doctor", "--json", cwd=root)
    assert healthy.code == 0
    assert all(item["fine"] for item in healthy.json)
    assert ccm("schema", "campaign", cwd=root).json["properties"]["audience"]


def test_the_last_line_of_progress_says_that_all_is_done(ccm: ForkedCcm, root: Path) -> None:
    """Whoever has no terminal gets that line alone; nothing is left then, whatever the rate promised before."""
    ran = ccm(*RUN, cwd=root)
    assert ran.code == 0
    assert "news 3/3 accepted 3" in ran.stderr
    assert " left" not in ran.stderr


def test_folders_that_cannot_be_written_end_in_words(ccm: ForkedCcm, root: Path) -> None:
    """Schemas and previews that cannot be written are outside errors (4), and the doctor names what is ill."""
    (root / "taken").write_text("a file where a folder should be")
    (root / ".ccm").mkdir(exist_ok=True)
    (root / ".ccm" / "schema").write_text("another one")
    definition = root / "ccm.yaml"
    definition.write_text(definition.read_text() + "archive: taken/archive\n")
    for args in (("schema",), ("preview", "news", "--customer", "P-001", "--out", "taken/here")):
        ended = ccm(*args, cwd=root)
        assert (ended.code, ended.stderr.count("  fix: ")) == (4, 1), ended
        assert "Traceback" not in ended.stderr
    ill = ccm("doctor", "--json", cwd=root)
    assert ill.code == 4
    assert {item["name"]: item["fine"] for item in ill.json}["archive"] is False


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
@pytest.mark.parametrize("args", [("status", "--json"), ("status",)])
def test_output_that_has_no_room_ends_in_words(root: Path, args: tuple[str, ...]) -> None:
    """A full disk behind stdout is an outside error (4), told once; nothing follows it at the end of the process."""
    program = "import sys; from ccm.cli import main; sys.argv = ['ccm', *sys.argv[1:]]; main()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *args],
            cwd=root, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "No space left" in done.stderr
    assert (done.stderr.count("fix: "), "Traceback" in done.stderr, "ignored" in done.stderr) == (1, False, False)


def test_the_next_step_after_init_can_be_pasted(ccm: ForkedCcm, tmp_path: Path) -> None:
    """A folder with blanks, quotes and brackets comes out of `ccm init` as a shell reads it."""
    ended = ccm("init", "Zoë's [new] files", cwd=tmp_path)
    assert ended.code == 0
    change = next(line for line in ended.stdout.splitlines() if line.startswith("  cd "))
    gone = subprocess.run(["sh", "-c", f"{change} && pwd"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert gone.stdout.strip() == str(tmp_path / "Zoë's [new] files")


def test_the_shell_completes_campaigns_and_channels(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed most is completed: campaigns of the nearest or the named workspace, and channels."""

    def offered(*args: str, begun: str = "") -> list[str]:
        return [item.value for item in ShellComplete(cli, {}, "ccm", "_CCM_COMPLETE").get_completions([*args], begun)]

    campaigns = sorted(file.stem for file in (root / "campaigns").glob("*.yaml"))
    assert offered("run", "--workspace", str(root)) == campaigns
    monkeypatch.chdir(root / "templates")
    for name in ("preview", "run", "check", "status"):
        assert offered(name) == campaigns
    assert offered("run", begun="ne") == [name for name in campaigns if name.startswith("ne")] != []
    assert offered("preview", "news", "--channel", begun="em") == ["email"]
    monkeypatch.chdir(root.parent)
    assert offered("run") == []


def test_people_read_it_too(ccm: ForkedCcm, root: Path) -> None:
    """Without --json the same facts are told in words, without colour codes where no terminal is."""
    ran = ccm(*RUN, cwd=root)
    assert "in 3 = 3 accepted" in ran.stdout
    assert "balanced" in ran.stdout
    assert "report: " in ran.stderr
    for args in (("status",), ("report",), ("history", "P-001"), ("doctor",), ("check",)):
        ended = ccm(*args, cwd=root)
        assert ended.code == 0
        assert ESCAPE not in ended.stdout + ended.stderr
    assert "balance £1.25" in ccm("history", "P-001", cwd=root).stdout


def test_no_color_is_respected(root: Path) -> None:
    """NO_COLOR wins where a terminal would have colours; FORCE_COLOR shows that there are some."""
    (root / "templates" / "notice" / "sms.txt").write_text("{{ facts.balanze }}\n")
    said = {}
    for name, extra in (("loud", {}), ("quiet", {"NO_COLOR": "1"})):
        environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color", **extra}
        if name == "loud":
            environment.pop("NO_COLOR", None)
        command = [sys.executable, "-m", "ccm", "check"]
        ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 3
        said[name] = ended.stderr
    assert f"{ESCAPE}1;31m" in said["loud"]
    assert "31m" not in said["quiet"]
    assert "32m" not in said["quiet"]


def test_exit_codes_of_check(ccm: ForkedCcm, tmp_path: Path) -> None:
    """0 nothing, 1 warnings with --strict, 3 errors; each with place first."""
    warned = small_workspace(tmp_path / "warned", people(1), templates__notice__sms_dot_txt="Hello\n")
    assert ccm("check", cwd=warned).code == 0
    strict = ccm("check", "--strict", cwd=warned)
    assert strict.code == 1
    assert strict.stderr.startswith("templates/notice/sms.txt: warning[fact-not-told]")
    broken = small_workspace(
        tmp_path / "broken", people(1), released=False, templates__notice__sms_dot_txt="{{ customer.nmae }}\n"
    )
    found = ccm("check", cwd=broken)
    assert found.code == 3
    assert "templates/notice/sms.txt:1:" in found.stderr
    assert '"name"' in found.stderr
    assert all(item["remedy"] for item in ccm("check", "--json", cwd=broken).json)
    assert ccm(*RUN, cwd=broken).code == 3
    assert not (broken / "outbox").exists()


def test_init_gives_a_workspace_that_runs(ccm: ForkedCcm, tmp_path: Path) -> None:
    """init, check, preview and run: each works at once, and init overwrites nothing."""
    made = ccm("init", "mine", cwd=tmp_path)
    assert made.code == 0, made.stderr
    mine = tmp_path / "mine"
    assert ccm("check", cwd=mine).code == 0
    rows = (mine / "data" / "customers.csv").read_text().splitlines()
    joined = next(row.split(",")[0] for row in rows[1:] if ",2026-10-" in row or ",2026-11-" in row)
    seen = ccm("preview", "welcome", "--customer", joined, "--json", cwd=mine)
    assert seen.code == 0, seen.stderr
    assert ccm("release", "--all", "--by", "author", cwd=mine).code == 0
    assert ccm("approve", "--all", "--by", "approver", cwd=mine).code == 0
    ran = ccm("run", "welcome", "--as-of", "2026-11-02T11:30Z", "--json", cwd=mine)
    assert ran.json["outcomes"]["accepted"] > 0
    assert ran.json["balanced"] is True
    assert len(addresses(mine / "outbox")) == ran.json["outcomes"]["accepted"]
    again = ccm("init", "mine", cwd=tmp_path)
    assert again.code == 2
    assert "already" in again.stderr
