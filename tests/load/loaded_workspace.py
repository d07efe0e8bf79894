"""A small real workspace on disk: the files of tests/cases/workspace with what cannot be kept as text."""

from __future__ import annotations

import shutil
from pathlib import Path

CASES = Path(__file__).resolve().parent.parent / "cases"
PNG = b"\x89PNG\r\n\x1a\n"
TTF = b"\x00\x01\x00\x00"


def write_workspace(folder: Path, **replaced: str) -> Path:
    """Write the workspace into a folder, with files replaced or added.

    Args:
        replaced: Text by path, with `__` for the slash.
    """
    root = folder / "workspace"
    shutil.copytree(CASES / "workspace", root)
    brand = root / "brands" / "plain"
    (brand / "fonts").mkdir()
    (brand / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (brand / "logo.png").write_bytes(PNG)
    (brand / "fonts" / "plain.ttf").write_bytes(TTF)
    (brand / "fonts" / "plain.woff2").write_bytes(b"wOF2")
    for name, text in replaced.items():
        path = root.joinpath(*name.split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
