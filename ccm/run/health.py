"""What `ccm doctor` looks at: this machine, and everything of the workspace that is no provider. One function each."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from ccm.archive.vault import master_key
from ccm.ledger.sql import open_ledger
from ccm.model.workspace import Brand, Workspace
from ccm.release.stores import open_store
from ccm.run import secrets, signing
from ccm.run.prepare import utc_now
from ccm.run.vault import MASTER_FILE, open_archive, open_vault

LOW_DISK_BYTES = 1_000_000_000
CLOCK_TOLERANCE_SECONDS = 5.0

_PANGO = "install it: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_MANIFEST = re.compile(r"/\d+\.\d+\.\d+\.json$")  # of a release; its approval stands beside it
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SECRET_FILE = re.compile(r"(password|passphrase|secret|token|key)_file$")


class Unwell(Exception):
    """Something does not work; free of secrets and personal data."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


def layout_engine(workspace: Workspace) -> str:
    """Load WeasyPrint and the libraries below it."""
    try:
        import weasyprint
    except OSError as error:
        raise Unwell("Pango is missing, so no document can be composed", _PANGO) from error
    return f"WeasyPrint {weasyprint.__version__}"


def filling(workspace: Workspace) -> str:
    """Tell whether the innermost loops of filling were compiled; without that documents are the same, and slower."""
    from ccm.compose.document.fill import kernel

    if kernel.COMPILED is None:
        return "by Python alone, more slowly; install a wheel for this platform, or a C compiler before the package"
    return "inner loops are compiled"


def fonts(workspace: Workspace) -> str:
    """Open every font of every brand as composing does."""
    from fontTools.ttLib import TTFont, TTLibError

    from ccm.compose.document.stylesheet import font_paths

    seen: set[str] = set()
    for brand in workspace.brands.values():
        for path in font_paths(brand):
            try:
                font = TTFont(io.BytesIO(workspace.library.read(path)), lazy=True)
                readable = bool(font.getBestCmap()) and font.flavor is None
            except (LookupError, TTLibError, OSError, AssertionError):
                readable = False
            if not readable:
                raise Unwell(f"{path} of brand {_name(brand)} is no usable font", "put a whole TTF or OTF file there")
            seen.add(path)
    return f"{len(seen)} of {len(workspace.brands)} brands"


def _name(brand: Brand) -> str:
    return brand.definition.brand


def disk(workspace: Workspace) -> str:
    """See whether a run has room: in the workspace, and where the archive is."""
    places = [Path(workspace.root)]
    if "://" not in workspace.definition.archive:
        places.append(Path(workspace.root) / workspace.definition.archive)
    free = min(shutil.disk_usage(_existing(place)).free for place in places)
    if free < LOW_DISK_BYTES:
        remedy = "free space; a run of documents needs about 60 kB for each recipient"
        raise Unwell(f"only {free // 1_000_000} MB are free", remedy)
    return f"{free // 1_000_000_000} GB free"


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())


def clock(workspace: Workspace) -> str:
    """Compare the clock with that of the disk and of the ledger, which other machines may have written.

    Why: Leases, schedules and quiet hours go by it; services refuse signatures of a clock that is minutes off.
    """
    set_it = "set the clock: timedatectl set-ntp true"
    with tempfile.NamedTemporaryFile(dir=workspace.root, prefix=".ccm-doctor-") as file:
        apart = abs(os.fstat(file.fileno()).st_mtime - time.time())
    if apart > CLOCK_TOLERANCE_SECONDS:
        raise Unwell(f"the clock and the disk's differ by {apart:.0f} seconds", set_it)
    ledger = open_ledger(workspace.definition.ledger, workspace.root)
    try:
        newest = max((run.finished_at or run.started_at for run in ledger.runs()), default=None)
    finally:
        ledger.close()
    ahead = newest - utc_now() if newest else timedelta()
    if ahead.total_seconds() > CLOCK_TOLERANCE_SECONDS:
        raise Unwell(f"the ledger was written {ahead.total_seconds():.0f} seconds in the future", set_it)
    return "agrees with disk and ledger"


def ledger(workspace: Workspace) -> str:
    """Open the ledger; its tables are brought up to date."""
    opened = open_ledger(workspace.definition.ledger, workspace.root)
    try:
        return f"{len(opened.runs())} runs"
    finally:
        opened.close()


def archive(workspace: Workspace) -> str:
    """Keep a few bytes and read them back."""
    probe = b"ccm doctor writes and reads this\n"
    opened = open_archive(workspace)
    if opened.get(opened.put(probe, "text/plain").sha256) != probe:
        raise Unwell("the archive gave back other bytes than it was given", "check its disk")
    return "writes and reads"


def archive_keys(workspace: Workspace) -> str:
    """Open the keys that the archive's content is sealed with."""
    if master_key(os.environ, Path(workspace.root) / MASTER_FILE, make=False) is None and not _has_keys(workspace):
        return "none yet; drawn by the first run"
    open_vault(workspace).close()
    return "open"


def _has_keys(workspace: Workspace) -> bool:
    url = workspace.definition.keys
    return not url.startswith("sqlite:///") or (Path(workspace.root) / url.removeprefix("sqlite:///")).exists()


def manifest_key(workspace: Workspace) -> str:
    """Read the key that signs manifests."""
    key = signing.signing_key(workspace.root)
    if key is None:
        return "missing: manifests of runs are not signed; make one with: ccm manifest key"
    return f"signs as {key.public.fingerprint}"


def releases(workspace: Workspace) -> str:
    """List the release store."""
    store = open_store(workspace.definition.releases, workspace.root)
    count = sum(bool(_MANIFEST.search(key)) for key in store.listed())
    return f"{count} releases in {workspace.definition.releases}"


def secret_files(workspace: Workspace) -> str:
    """See that files of secrets are readable by their owner alone; secrets in ccm.yaml are refused when it is loaded."""
    seen = 0
    for path in _secret_files(workspace):
        if path.exists():
            seen += 1
            if os.name == "posix" and path.stat().st_mode & _OTHERS:
                shown = os.path.relpath(path, workspace.root)
                raise Unwell(f"other users may read {shown}", f"chmod 600 {shown}")
    return f"{seen} files, readable by their owner alone" if seen else "none in files"


def _secret_files(workspace: Workspace) -> Iterator[Path]:
    root = Path(workspace.root)
    yield from (root / secrets.FILE, root / MASTER_FILE, root / signing.FILE)
    for provider in workspace.definition.providers.values():
        for setting, value in provider.settings.items():
            if _SECRET_FILE.search(setting) and "${" not in value:
                yield root / value
