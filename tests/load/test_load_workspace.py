"""Promise: all mistakes of a workspace are reported at once, each at its place, and nothing else is."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from loaded_workspace import CASES, write_workspace

from ccm.diagnostics import Severity
from ccm.load import load_workspace

_HERE = re.compile(r"\b(error|warning)\[([a-z0-9-]+)\](?::(\d+))?")
_ELSEWHERE = re.compile(r"# elsewhere (error|warning)\[([a-z0-9-]+)\] (\S+)")


def _cases() -> list[Path]:
    return sorted(path for path in (CASES / "load").iterdir() if path.name != "README.md")


def _target(case: Path) -> str:
    return case.name.split(".", 1)[1]


def _expected(case: Path) -> list[tuple[str, str, str]]:
    path = _target(case).replace("__", "/")
    found = []
    for number, line in enumerate(case.read_text("utf-8").splitlines(), 1):
        if match := _ELSEWHERE.search(line):
            found.append((match[3], match[1], match[2]))
            continue
        for match in _HERE.finditer(line):
            column = f":{match[3]}" if match[3] else ""
            found.append((f"{path}:{number}{column}", match[1], match[2]))
    return sorted(found)


def test_there_are_cases_for_every_kind_of_file() -> None:
    """The folder is not empty, so that the walk below proves something."""
    targets = {_target(case).partition("__")[0] for case in _cases()}
    assert targets >= {"ccm.yaml", "brands", "templates", "campaigns", "data"}
    assert len(_cases()) >= 15


def test_a_clean_workspace_has_no_diagnostic(tmp_path: Path) -> None:
    """Files without a mistake are loaded whole, and silently."""
    workspace, diagnostics = load_workspace(write_workspace(tmp_path))
    assert [str(item) for item in diagnostics] == []
    assert workspace is not None
    assert set(workspace.templates) == {"notice", "offer"}
    assert workspace.brands["plain"].tokens["color.brand.primary"].value == "#003366"
    assert workspace.brands["plain"].tokens["space.page"].value == "20mm"
    assert workspace.templates["notice"].catalogues["de"].messages[("", "Your notice")] == ("Ihre Mitteilung",)
    assert workspace.templates["notice"].samples["anna"]["locale"] == "de-DE"
    assert set(workspace.fragments["contact"].forms) == {"email.mjml", "sms.txt"}
    assert "brands/plain/fonts/plain.ttf" in workspace.library.files


@pytest.mark.parametrize("case", _cases(), ids=lambda path: path.name)
def test_a_case_gets_its_diagnostics_and_no_others(case: Path, tmp_path: Path) -> None:
    """What is reported is what the case's comments say, place for place."""
    root = write_workspace(tmp_path, **{_target(case): case.read_text("utf-8")})
    _, diagnostics = load_workspace(root)
    found = sorted((str(item.location), str(item.severity), item.code) for item in diagnostics)
    assert found == _expected(case), "\n".join(str(item) for item in diagnostics)
    assert all(item.remedy for item in diagnostics)


def test_without_settings_there_is_no_workspace(tmp_path: Path) -> None:
    """A folder without ccm.yaml is told how to become one."""
    workspace, diagnostics = load_workspace(tmp_path)
    assert workspace is None
    assert [item.code for item in diagnostics] == ["missing-workspace"]


def test_a_link_out_of_the_workspace_is_left_out(tmp_path: Path) -> None:
    """No file of the machine can travel inside a message."""
    root = write_workspace(tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "templates" / "notice" / "terms.txt").symlink_to(tmp_path / "secret.txt")
    workspace, diagnostics = load_workspace(root)
    assert workspace is not None
    assert "templates/notice/terms.txt" not in workspace.library.files
    assert [item.code for item in diagnostics] == ["outside-workspace"]


def test_the_sample_workspace_loads_fast_and_without_errors(project: Path) -> None:
    """The sample is the documentation by example: it has no mistake and loads in half a second."""
    if not (project / "ccm.yaml").is_file():
        pytest.skip("the sample workspace is absent")
    load_workspace(project)
    start = time.process_time()
    workspace, diagnostics = load_workspace(project)
    seconds = time.process_time() - start
    assert workspace is not None
    assert [str(item) for item in diagnostics if item.severity is Severity.ERROR] == []
    assert seconds < 2.0


def test_text_that_cannot_be_read_on_its_background_is_warned_about(tmp_path: Path) -> None:
    """A brand whose text colour is too close to its background hears about it, with the ratio."""
    grey = '{"color": {"$type": "color", "blue": {"$value": "#036"}, "text": {"$value": "#999"}, "background": {"$value": "#fff"}}}'
    _, diagnostics = load_workspace(write_workspace(tmp_path, **{"brands__plain__base.json": grey}))
    assert [(item.code, item.severity) for item in diagnostics] == [("low-contrast", Severity.WARNING)]
    assert "2.8 to 1" in diagnostics[0].message


def test_a_workspace_can_be_loaded_without_reading_its_templates_texts(tmp_path: Path) -> None:
    """Commands that compose nothing skip the slow part, and only that."""
    root = write_workspace(
        tmp_path, **{"templates__notice__sms.txt": "{{ customer.nmae }}", "campaigns__news.yaml": ""}
    )
    assert [item.code for item in load_workspace(root, lint=False)[1]] == ["missing-field"]
    assert {item.code for item in load_workspace(root)[1]} >= {"missing-field", "unknown-field"}


def test_marketing_email_needs_one_click_unsubscribing(tmp_path: Path) -> None:
    """A mailto address alone would hold every message later; the campaign's author hears of it at once."""
    brand = (CASES / "workspace/brands/plain/brand.yaml").read_text()
    mailto = re.sub(r"unsubscribe_url: .*", "unsubscribe_mailto: out@plain.example", brand)
    sale = """campaign: sale
brand: plain
template: offer
purpose: marketing
audience: {source: people}
channels: {together: [email]}
deliver: {email: outbox}
"""
    found = {}
    for name, text in (("url", brand), ("mailto", mailto)):
        root = write_workspace(tmp_path / name)
        (root / "brands/plain/brand.yaml").write_text(text)
        (root / "campaigns/sale.yaml").write_text(sale)
        found[name] = [one.code for one in load_workspace(root)[1]]
    assert "missing-unsubscribe" in found["mailto"]
    assert "missing-unsubscribe" not in found["url"]
