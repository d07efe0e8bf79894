"""A run of all channels over the sample: real commands, several brands, all its locales, then everything is changed."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = ("2026-11-16T11:00Z", "2026-11-16T19:00Z", "2026-11-17T02:00Z")  # daytime everywhere, once
CAMPAIGNS = ("october-statement", "october-invoices", "welcome", "winter-offer")
WRITTEN_TO = "2020-01-01"  # the welcome goes to everybody who joined since


def enlarged_sample(root: Path, documents: int, factor: int) -> Path:
    """Write the sample workspace with more customers.

    Args:
        documents: Most PDFs: half of them statements, half bills.
        factor: How many times as many customers the generator makes.
    """
    for name in ("brands", "templates", "campaigns"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "ccm.yaml", root)
    data = root / "data"
    data.mkdir()
    for path in (ROOT / "data").iterdir():
        if path.suffix in (".yaml", ".py", ".json"):
            shutil.copy(path, data)
    words = json.loads((data / "vocabulary.json").read_text(encoding="utf-8"))
    for entry in words.values():
        entry["count"] = entry["count"] * factor
    (data / "vocabulary.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    subprocess.run([sys.executable, str(data / "generate.py")], check=True, capture_output=True)
    _keep_rows(data / "transactions.csv", "customer_id", documents // 2)
    _keep_rows(data / "invoices.csv", "", documents - documents // 2)
    welcome = root / "campaigns" / "welcome.yaml"
    welcome.write_text(re.sub(r'joined_on >= "[^"]+"', f'joined_on >= "{WRITTEN_TO}"', welcome.read_text()))
    for name in CAMPAIGNS:  # the deliberate faults of the sample stay held
        campaign = root / "campaigns" / f"{name}.yaml"
        campaign.write_text(campaign.read_text() + "limits: {held_share: 0.3}\n")
    return root


def _keep_rows(path: Path, column: str, most: int) -> None:
    """Keep the rows of the first values of a column, or the first rows where none is named."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames or ()
    kept = set(list(dict.fromkeys(row[column] for row in rows))[:most]) if column else None
    rows = [row for number, row in enumerate(rows) if (row[column] in kept if kept is not None else number < most)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def send_everything(root: Path) -> None:
    """Release, approve and run every campaign, at times that are daytime for everybody."""
    _ccm(root, "release", "--all")
    _ccm(root, "approve", "--all")
    for name in CAMPAIGNS:
        for moment in MOMENTS:
            _ccm(root, "run", name, "--as-of", moment, "--late", "--workers", str(os.cpu_count() or 1), "--quiet")


def change_everything(root: Path) -> None:
    """Change every template, brand and table of the working folder, and take one template out."""
    for path in sorted((root / "templates").rglob("*")):
        if path.suffix in (".mjml", ".html", ".txt", ".css", ".po"):
            path.write_text(path.read_text(encoding="utf-8").replace("e", "3"), encoding="utf-8")
    for path in sorted((root / "brands").rglob("*.json")):
        path.write_text(re.sub(r"#[0-9a-fA-F]{6}", "#ff00ff", path.read_text(encoding="utf-8")), encoding="utf-8")
    for path in sorted((root / "brands").rglob("brand.yaml")):
        path.write_text(re.sub(r"(?m)^title: .*$", "title: Another Company", path.read_text(encoding="utf-8")))
    fonts = sorted((root / "brands").rglob("*.ttf"))
    for one, other in zip(fonts, [*fonts[1:], fonts[0]], strict=True):
        one.write_bytes(other.read_bytes() if one != other else b"")
    for path in sorted((root / "data").glob("*.csv")):
        path.write_text(path.read_text(encoding="utf-8").replace("1", "7"), encoding="utf-8")
    shutil.rmtree(root / "templates" / "welcome")


def _ccm(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ccm", *arguments, "-w", str(root)],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: somebody is held, as the sample's deliberate faults are
        raise SystemExit(f"ccm {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
