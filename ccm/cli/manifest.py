"""`ccm manifest`: what a run made, for whoever must account for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccm.cli.terminal import (
    FirstCommand,
    fail,
    find_workspace,
    json_option,
    open_settings,
    out,
    print_json,
    with_errors,
    workspace_option,
)
from ccm.diagnostics import ExitCode

if TYPE_CHECKING:
    from ccm.run.manifest import Written
    from ccm.run.manifest_reading import Judged
    from ccm.run.signing import PublicKey


class _WriteFirst(FirstCommand):
    first = "write"


@click.group("manifest", cls=_WriteFirst)
def command() -> None:
    """Write or check the manifest of a run: every piece with its hash, everybody who got nothing, and the control totals.

    `ccm manifest RUN` writes it as JSON lines: piece, recipient, channel, pages, bytes, SHA-256 and release of each
    piece; then the exceptions; then the proof that in = out + exceptions, for recipients and for every amount. It is
    signed if there is a key (`ccm manifest key`); otherwise it says that it is not.

    Exit code: 0 balanced, 1 not, or it could not be made.

    Example: ccm manifest october-statement.2026-10 -o october.jsonl
    """


@command.command("write")
@click.argument("run_id", metavar="RUN")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; stdout if not given.")
@workspace_option
@json_option
@with_errors
def write(run_id: str, output: Path | None, folder: Path | None, as_json: bool) -> None:
    """Write the manifest of a run; the word `write` may be left out. With --output and --json: its sums as JSON.

    Example: ccm manifest october-statement.2026-10 -o october.jsonl
    """
    from ccm.run.manifest import ManifestFault, write_manifest
    from ccm.run.prepare import utc_now
    from ccm.run.signing import signing_key

    workspace = open_settings(folder)
    make = partial(write_manifest, workspace, run_id, now=utc_now(), key=signing_key(workspace.root))
    try:
        if output is None:
            stream = sys.stdout.buffer
            written = make(stream.write)
            stream.flush()
        else:
            written = _to_file(output, make)
            show(written, output, as_json)
    except ManifestFault as fault:
        fail(str(fault).removesuffix(f"; {fault.remedy}"), fault.remedy, ExitCode.PROBLEMS)
    except OSError as error:
        fail(
            f"the manifest could not be written ({error.strerror})", "free space or name another file", ExitCode.OUTSIDE
        )
    raise SystemExit(ExitCode.FINE if written.balanced else ExitCode.PROBLEMS)


@command.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public-key", metavar="KEY|FILE", help="Of the signer; the workspace's own key if not given.")
@workspace_option
@json_option
@with_errors
def verify(file: Path, public_key: str | None, folder: Path | None, as_json: bool) -> None:
    """Check that a manifest is whole, adds up, and was signed with a key that you know. Needs no ledger.

    Exit code: 0 all of that, 1 otherwise.

    Example: ccm manifest verify october.jsonl --public-key bank.pem
    """
    from ccm.run.manifest_reading import judge_manifest

    key = _known_key(public_key, folder)
    with file.open("rb") as lines:
        judged = judge_manifest(lines, key)
    fine = not judged.faults and judged.proved
    if as_json:
        told = {"run": judged.run_id, "lines": judged.lines, "key": judged.key or None}
        print_json({**told, "signed": judged.signed, "proved": judged.proved, "faults": list(judged.faults)})
    else:
        for fault in judged.faults:
            out.print(fault, markup=False)
        out.print(_verdict(judged, key), markup=False)
    raise SystemExit(ExitCode.FINE if fine else ExitCode.PROBLEMS)


@command.command("key")
@workspace_option
@json_option
@with_errors
def key_(folder: Path | None, as_json: bool) -> None:
    """Print the public key of this workspace's manifests; draws the key into .ccm/keys/manifest.key at first use.

    Give the public key to whoever checks manifests, by another way than the manifests themselves.

    Example: ccm manifest key
    """
    from ccm.run.signing import signing_key

    key = signing_key(open_settings(folder).root, os.environ, make=True)
    assert key is not None, "a key that may be made is there"
    if as_json:
        print_json({"public_key": key.public.text, "fingerprint": key.public.fingerprint})
    else:
        out.print(f"{key.public.text}\nfingerprint {key.public.fingerprint}", markup=False)


def _to_file(output: Path, make: Callable[[Callable[[bytes], object]], Written]) -> Written:
    """Write a file whole or not at all: one that was cut off must not lie where a whole one is looked for."""
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            written = make(file.write)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
    return written


def show(written: Written, output: Path, as_json: bool) -> None:
    """Tell what the manifest came to."""
    sums = written.sums
    if as_json:
        told = {"run": written.run_id, "file": str(output), "lines": written.lines, "seal": written.seal}
        print_json({**told, "key": written.key or None, **sums})
        return
    exceptions = sum(sum(reasons.values()) for reasons in _table(sums["exceptions"]).values())
    mark = "balanced" if written.balanced else "NOT BALANCED"
    out.print(f"{output}: {written.lines} lines, in {sums['in']} = out {sums['out']} + {exceptions} exceptions, {mark}")
    out.print(f"signed with {written.key}" if written.key else "not signed; make a key with: ccm manifest key")


def _table(value: object) -> dict[str, dict[str, int]]:
    assert isinstance(value, dict)
    return value


def _verdict(judged: Judged, key: PublicKey | None) -> str:
    if judged.faults:
        return f"{judged.lines} lines, not to be trusted"
    if not judged.key:
        return f"{judged.run_id}: {judged.lines} lines, whole and adding up, but nobody signed it"
    if key is None:
        return (
            f"{judged.run_id}: {judged.lines} lines, whole and adding up; signed with {judged.key}, "
            "which proves nothing until you give the signer's key with --public-key"
        )
    return f"{judged.run_id}: {judged.lines} lines, whole, adding up, signed with {judged.key}"


def _known_key(given: str | None, folder: Path | None) -> PublicKey | None:
    """Return the key that the reader trusts: the one given, as text or file, or the workspace's own."""
    from ccm.run.signing import public_key, signing_key

    if given is not None:
        path = Path(given)
        return public_key(path.read_text(encoding="utf-8") if path.is_file() else given)
    here = (Path.cwd(), *Path.cwd().parents)
    if folder is None and not any((place / "ccm.yaml").is_file() for place in here):
        return None
    own = signing_key(find_workspace(folder).resolve())
    return own.public if own else None
