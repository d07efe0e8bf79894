"""Promise: a thinned piece comes back byte for byte, or not at all; nothing is given up that does not verify."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from e2e.forked_ccm import ForkedCcm
from run.small_workspace import AS_OF, CAMPAIGN, TEMPLATE, people, small_workspace

from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.model.records import PieceRecord
from ccm.model.workspace import Workspace
from ccm.run import workspace_ledger
from ccm.run.archived import ComposedOtherwise, sent_piece
from ccm.run.thinning import thin
from ccm.run.verifying import verify

PAGE = """\
<!doctype html>
<html lang="en"><head><title>Balance</title></head>
<body><h1>Balance</h1><p>{{ customer.name }}: {{ facts.balance }}</p></body></html>
"""
STYLE = "@page { size: A4 } body { font-family: 'Plain Sans' }\n"
PEOPLE = 3


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of letters and emails that carry them, and text messages."""
    root = small_workspace(
        tmp_path_factory.mktemp("letters"),
        people(PEOPLE),
        templates__notice__template_dot_yaml=TEMPLATE.replace(
            "required: [email]", "required: [email, document]"
        ).replace("channels: [email, sms]", "channels: [email, sms, document]"),
        templates__notice__document_dot_html=PAGE,
        templates__notice__document_dot_css=STYLE,
        campaigns__news_dot_yaml=CAMPAIGN.replace("[email]", "[email, document]").replace(
            "sms: outbox}", "sms: outbox, document: archive}"
        ),
    )
    with ForkedCcm() as ccm:
        done = ccm("run", "news", "--as-of", AS_OF, cwd=root)
        assert done.code == 0, done.stdout + done.stderr
    return root


def opened(root: Path) -> Workspace:
    """Load what ccm.yaml says."""
    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    return workspace


def pieces(root: Path, channel: Channel) -> list[PieceRecord]:
    """Return the run's pieces of one channel."""
    ledger = workspace_ledger(opened(root))
    try:
        return [piece for piece in ledger.pieces("news.once") if piece.channel is channel]
    finally:
        ledger.close()


def size(root: Path) -> int:
    """Return how many bytes the archive has."""
    return sum(path.stat().st_size for path in (root / "archive").rglob("*") if path.is_file())


def test_thinning_gives_up_pdfs_and_gets_them_back(sent: Path, tmp_path: Path) -> None:
    """Before, after and after a second time: the same bytes; texts stay; a broken hash is never handed out."""
    before = {one.piece_id: sent_piece(opened(sent), one.piece_id) for one in pieces(sent, Channel.DOCUMENT)}
    assert all(one.content.startswith(b"%PDF-") and not one.composed_again for one in before.values())
    damaged, *_ = pieces(sent, Channel.DOCUMENT)
    hurt = sent / "archive" / damaged.archived[:2] / damaged.archived[2:4] / damaged.archived
    content = hurt.read_bytes()
    hurt.write_bytes(content[:-1])
    whole = size(sent)
    counts = thin(opened(sent), "news.once")
    assert (counts["thinned"], counts["small"], counts["different"]) == (2 * PEOPLE - 1, PEOPLE, 1)
    assert size(sent) < whole - counts["bytes"] * 0.9
    hurt.write_bytes(content)
    counts = thin(opened(sent), "news.once", workers=2)
    assert (counts["thinned"], counts["already"], counts["small"]) == (1, 2 * PEOPLE - 1, PEOPLE)

    assert all(str(one.verdict) == "identical" for one in verify(opened(sent), "news.once"))
    for piece_id, earlier in before.items():
        again = sent_piece(opened(sent), piece_id)
        assert again.composed_again
        assert again.content == earlier.content
        assert hashlib.sha256(again.content).hexdigest() == again.piece.sha256
    text = sent_piece(opened(sent), pieces(sent, Channel.SMS)[0].piece_id)
    assert not text.composed_again

    with ForkedCcm() as ccm:
        target = tmp_path / "letter.pdf"
        one = next(iter(before))
        given = ccm("archive", "get", one, "-o", str(target), cwd=sent)
        assert given.code == 0
        assert "composed again" in given.stderr
        assert target.read_bytes() == before[one].content
        assert ccm("archive", "get", "p-nobody", cwd=sent).code == 3
        assert ccm("archive", cwd=sent).code == 2
        told = ccm("archive", "--thin", "news.once", "--yes", cwd=sent)
        assert (told.code, "thinned before" in told.stdout) == (0, True)

    with sqlite3.connect(sent / ".ccm" / "ledger.db") as database:
        database.execute("UPDATE pieces SET sha256 = ? WHERE piece_id = ?", ["0" * 64, one])
    with pytest.raises(ComposedOtherwise):
        sent_piece(opened(sent), one)
