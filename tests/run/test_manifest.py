"""Promise: the manifest of a run accounts for everybody and every cent, and nobody can change it unseen."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, people, person, small_workspace

from ccm.ledger.sql import open_ledger
from ccm.load import load_workspace
from ccm.run.contents import ConfigurationFault
from ccm.run.manifest import ManifestFault, signed_message, write_manifest
from ccm.run.manifest_reading import judge_manifest
from ccm.run.signing import FILE, VARIABLE, PublicKey, public_key, signing_key
from ccm.testing import sample_run

RUN = "news.once"
NOW = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ForkedCcm]]:
    """A workspace after a run: four reached, one without an address, one with a broken amount."""
    rows = [*people(4), person(5, email=""), person(6, balance="a lot")]
    root = small_workspace(tmp_path_factory.mktemp("manifest"), rows)
    with ForkedCcm() as ccm:
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 1
        yield root, ccm


@pytest.fixture(autouse=True)
def no_key(ran: tuple[Path, ForkedCcm]) -> None:
    """Each test begins without a key."""
    (ran[0] / FILE).unlink(missing_ok=True)


def manifest_of(root: Path) -> list[bytes]:
    """Return the lines of the run's manifest."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    lines: list[bytes] = []
    write_manifest(workspace, RUN, lines.append, now=NOW, key=signing_key(root, {}))
    return lines


def records(lines: list[bytes]) -> list[dict[str, Any]]:
    """Read the lines."""
    return [json.loads(line) for line in lines]


def test_every_piece_and_everybody_is_in_it(ran: tuple[Path, ForkedCcm]) -> None:
    """Pieces have the hash and size of what was archived; whoever got nothing is there with the reason."""
    root, ccm = ran
    head, *bodies, sums, _ = records(manifest_of(root))
    assert (head["run"], head["campaign"], head["state"]) == (RUN, "news", "open")
    pieces = [one for one in bodies if "piece" in one]
    assert len(pieces) == 8  # four people, email and SMS
    for one in pieces:
        content = root / f"{one['piece']}.out"
        assert ccm("archive", "get", one["piece"], "-o", str(content), cwd=root).code == 0
        assert len(content.read_bytes()) == one["bytes"]
        assert hashlib.sha256(content.read_bytes()).hexdigest() == one["sha256"]
        content.unlink()
    exceptions = {one["recipient"]: (one["outcome"], one["reason"]) for one in bodies if "exception" in one}
    assert exceptions == {"P-005": ("suppressed", "no-address"), "P-006": ("held", "invalid-data")}
    told = sums["sums"]
    assert (told["in"], told["out"], told["balanced"]) == (6, 4, True)
    assert told["exceptions"] == {"held": {"invalid-data": 1}, "suppressed": {"no-address": 1}}
    assert told["bytes"] == sum(one["bytes"] for one in pieces)
    amounts = {(one["channel"], one["currency"]): one for one in told["totals"]}
    expected = sum((Decimal(f"{number}.25") for number in range(1, 5)), Decimal(0))
    assert Decimal(amounts["email", "GBP"]["in"]) == Decimal(amounts["email", "GBP"]["out"]) == expected


def test_it_names_nobody_beyond_the_recipient_id(ran: tuple[Path, ForkedCcm]) -> None:
    """No address, number, name or message stands in it."""
    text = b"".join(manifest_of(ran[0])).decode()
    for word in ("example.org", "Person", "+4474", "a lot"):
        assert word not in text


def altered(lines: list[bytes], change: Callable[[list[bytes]], None]) -> list[bytes]:
    """Return other lines."""
    other = list(lines)
    change(other)
    return other


def resealed(lines: list[bytes]) -> None:
    """Put a seal that fits what the lines are now, and leave the signature."""
    end = json.loads(lines[-1])
    end["seal"] = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    lines[-1] = json.dumps(end).encode()


def one_cent_less(lines: list[bytes]) -> None:
    """Change an amount in the sums."""
    lines[-2] = lines[-2].replace(b'"out":"11', b'"out":"10')


def dropped(lines: list[bytes]) -> None:
    """Take out a piece."""
    del lines[2]


def doubled(lines: list[bytes]) -> None:
    """Put a piece in twice, and a seal that fits."""
    lines.insert(2, lines[2])
    resealed(lines)


def unsealed_exception(lines: list[bytes]) -> None:
    """Let a person vanish, and a seal that fits."""
    lines[:] = [line for line in lines if b'"P-006"' not in line]
    resealed(lines)


def cut(lines: list[bytes]) -> None:
    """Take the end off."""
    del lines[-1]


def byte(lines: list[bytes]) -> None:
    """Change one hash."""
    lines[3] = lines[3].replace(b'"sha256":"', b'"sha256":"0', 1)


CHANGES = (one_cent_less, dropped, doubled, unsealed_exception, cut, byte)


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("sign", [True, False], ids=["signed", "unsigned"])
def test_every_change_is_seen(ran: tuple[Path, ForkedCcm], change: Callable[[list[bytes]], None], sign: bool) -> None:
    """Changed, dropped, doubled, cut: told; with a key also where somebody made the seal fit."""
    root, _ = ran
    key = signing_key(root, {}, make=True)
    lines = manifest_of(root)
    if not sign:
        (root / FILE).unlink(missing_ok=True)
        lines = manifest_of(root)
    assert key is not None
    sound = judge_manifest(lines, key.public)
    assert (sound.faults, sound.proved) == ((), sign)
    judged = judge_manifest(altered(lines, change), key.public)
    assert judged.faults
    assert not judged.proved


def test_only_the_signers_key_proves_it(ran: tuple[Path, ForkedCcm]) -> None:
    """Signed anew with another key, a manifest is as whole as ever and proved by nobody."""
    root, _ = ran
    key = signing_key(root, {}, make=True)
    assert key is not None
    lines = manifest_of(root)
    assert judge_manifest(lines, None).signed
    assert not judge_manifest(lines, None).proved
    forger = signing_key(root, {VARIABLE: base64.b64encode(bytes(range(32))).decode()})
    assert forger is not None
    lines[0] = lines[0].replace(key.public.text.encode(), forger.public.text.encode())
    seal = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    lines[-1] = json.dumps({"seal": seal, "signature": forger.sign(signed_message(seal))}).encode()
    judged = judge_manifest(lines, key.public)
    assert judged.faults
    assert not judged.proved
    assert judge_manifest(lines, forger.public).proved


def test_keys_are_read_in_every_form_and_kept_from_others(tmp_path: Path) -> None:
    """PEM and base64, in the environment and in a file; nobody else may read the file; nonsense is named."""
    secret = Ed25519PrivateKey.generate()
    pem = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    raw = base64.b64encode(secret.private_bytes_raw()).decode()
    public = secret.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for given in (pem, raw):
        key = signing_key(tmp_path, {VARIABLE: given})
        assert key is not None
        assert key.public == public_key(public) == public_key(key.public.text)
        assert key.public.proves(key.sign(b"x"), b"x")
        assert not key.public.proves(key.sign(b"x"), b"y")
    assert signing_key(tmp_path, {}) is None
    made, again = signing_key(tmp_path, {}, make=True), signing_key(tmp_path, {})
    assert made is not None
    assert again is not None
    assert made.public == again.public
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    for wrong in ({}, {VARIABLE: "bm9uc2Vuc2U="}, {VARIABLE: "nonsense"}):
        with pytest.raises(ConfigurationFault) as fault:
            signing_key(tmp_path, wrong)
        assert fault.value.diagnostics[0].code == "manifest-key-unusable"
    with pytest.raises(ConfigurationFault):
        public_key("nonsense")
    assert not PublicKey(made.public.text).proves("no base64!", b"x")


def test_the_command_writes_and_checks(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """To stdout or a file; unsigned says so; the key is drawn once; a changed file ends with 1."""
    root, ccm = ran
    file = tmp_path / "out" / "m.jsonl"
    unsigned = ccm("manifest", RUN, "-o", str(file), cwd=root)
    assert unsigned.code == 0
    assert "not signed" in unsigned.stdout
    checked = ccm("manifest", "verify", str(file), cwd=root)
    assert (checked.code, "nobody signed" in checked.stdout) == (1, True)
    key = ccm("manifest", "key", "--json", cwd=root).json
    assert ccm("manifest", "key", "--json", cwd=root).json == key
    told = ccm("manifest", RUN, "-o", str(file), "--json", cwd=root).json
    assert (told["in"], told["out"], told["key"]) == (6, 4, key["fingerprint"])
    assert ccm("manifest", "verify", str(file), cwd=root).code == 0
    elsewhere = ccm("manifest", "verify", str(file), cwd=tmp_path)
    assert (elsewhere.code, "proves nothing" in elsewhere.stdout) == (1, True)
    assert ccm("manifest", "verify", str(file), "--public-key", key["public_key"], cwd=tmp_path).code == 0
    piped = ccm("manifest", RUN, cwd=root)
    assert judge_manifest([line + b"\n" for line in piped.stdout.encode().splitlines()], None).signed
    file.write_bytes(file.read_bytes().replace(b'"pages":0', b'"pages":1', 1))
    assert ccm("manifest", "verify", str(file), "--json", cwd=root).json["faults"]
    assert ccm("manifest", "news.twice", cwd=root).code == 1


def test_a_run_under_way_has_none(tmp_path: Path) -> None:
    """A manifest of half a run would be taken for the whole."""
    root = small_workspace(tmp_path / "w", people(1))
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    ledger = open_ledger(workspace.definition.ledger, workspace.root)
    run = sample_run(started_at=NOW)
    ledger.claim_run(run, owner="somebody", now=NOW, lease_seconds=60)
    ledger.close()
    with pytest.raises(ManifestFault, match="being executed"):
        write_manifest(workspace, run.run_id, lambda line: None, now=NOW, key=None)


def test_memory_does_not_grow_with_the_manifest() -> None:
    """200,000 lines are read in the memory of a few."""
    program = (
        "import json, resource, hashlib\n"
        "from ccm.run.manifest_reading import judge_manifest\n"
        "piece = {'piece': 'p', 'channel': 'email', 'state': 'accepted', 'pages': 1, 'segments': 0, 'bytes': 1}\n"
        "def lines(count):\n"
        "    yield b'{}\\n'\n"
        "    for number in range(count): yield json.dumps(piece).encode() + b'\\n'\n"
        "judge_manifest(lines(1000), None)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "judge_manifest(lines(200_000), None)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert int(ended.stdout) < 4_000  # kB
