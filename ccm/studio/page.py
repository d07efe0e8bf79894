"""Our own pages. Their templates are ours, so this environment is apart from the authors' sandbox."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ccm.studio", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(page: str, target: Path, **values: object) -> Path:
    """Render one of our page templates into a file and return the file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_environment().get_template(page).render(**values), encoding="utf-8")
    return target
