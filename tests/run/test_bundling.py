"""Promise: a run's documents become a few sorted PDFs that hold every accepted page once; nothing is lost on the way."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from e2e.forked_ccm import ForkedCcm
from e2e.print_workspace import RUN, print_workspace
from run.small_workspace import AS_OF

from ccm.load import load_workspace
from ccm.model.definitions import Channel
from ccm.run.bundling import LeftOut
from ccm.run.sorting import Chosen, UnknownKey
from ccm.run.verifying import kept_pieces
from ccm.testing.samples import sample_decision

PEOPLE = 23
_CITIES = ("ZZ1 1AA", "AA9 9ZZ", "MM5 5MM")
DOCUMENT = """\
<!doctype html><html lang="{{ locale.tag }}"><head><title>Notice</title></head><body><h1>Notice</h1>
{% if customer.name == "Odd" %}<p style="columns: 2">aside</p>{% endif %}
<table><thead><tr><th>What</th><th>Who</th></tr></thead><tbody>
{% for number in range(60 if customer.name[-1:] == "3" else 2) %}<tr><td>Line {{ number }}</td><td>of {{ customer.name }}</td></tr>
{% endfor %}</tbody></table>
</body></html>
"""
STYLE = """\
@page { size: A4; margin: 25mm }
table { width: 100%; border-collapse: collapse }
td, th { padding: 4px 8px; border-bottom: 1px solid #ccc; text-align: start; vertical-align: top }
tr { break-inside: avoid }
"""


def people() -> list[str]:
    """Return rows: three postcodes in turn, one document that needs the layout engine, one row without a name."""
    rows = [
        f"P-{n:03},{'Odd' if n == 5 else f'Person {n}'},Person {n},1 High Street,{_CITIES[n % 3]},Bristol,GB"
        for n in range(PEOPLE)
    ]
    return [*rows, "P-999,,Nobody,1 High Street,AA1 1AA,Bristol,GB"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ForkedCcm]]:
    """A workspace after a run."""
    root = print_workspace(
        tmp_path_factory.mktemp("bundle"),
        people(),
        "folder: print",
        templates__notice__document_dot_html=DOCUMENT,
        templates__notice__document_dot_css=STYLE,
        ccm_dot_yaml="workspace: small\nproviders:\n  printer: {adapter: archive}\n",
    )
    with ForkedCcm() as ccm:
        ended = ccm("run", "news", "--as-of", AS_OF, cwd=root)
        assert ended.code == 1, ended.stderr  # the row without a name is held
        yield root, ccm


def bundled(ran: tuple[Path, ForkedCcm], folder: Path, *more: str) -> Any:
    """Bundle the run and return what the command told."""
    root, ccm = ran
    ended = ccm("bundle", RUN, "-o", str(folder), "--json", *more, cwd=root)
    assert ended.code in (0, 1), ended.stderr
    return ended.json


def manifest_of(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Return the lines of a stream's manifest."""
    return [json.loads(line) for line in (folder / f"{stream}.jsonl").read_text().splitlines()]


def singles(root: Path) -> dict[str, bytes]:
    """Return the documents as the archive has them."""
    from ccm.run.archived import SentPieces

    workspace, _ = load_workspace(root, lint=False)
    assert workspace is not None
    kept, sent = kept_pieces(workspace), SentPieces(workspace)
    try:
        return {one.piece_id: sent.piece(one).content for one in kept.documents_of(RUN) if one.snapshot}
    finally:
        kept.close()
        sent.close()


def test_every_accepted_document_is_in_one_stream_or_beside_it(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """In = streams + beside + exceptions; pages are those of the single files, in the places the manifest names."""
    told = bundled(ran, tmp_path / "s")
    assert told["balanced"]
    assert told["pieces_in"] == PEOPLE
    assert (told["apart"], told["exceptions"]) == (1, {})
    stream = told["streams"][0]
    lines = manifest_of(tmp_path / "s", stream["stream"])
    content = (tmp_path / "s" / f"{stream['stream']}.pdf").read_bytes()
    assert hashlib.sha256(content).hexdigest() == stream["sha256"] == lines[-1]["sha256"]
    documents = singles(ran[0])
    with pypdfium2.PdfDocument(content) as whole:
        assert len(whole) == stream["pages_in_file"] == lines[-1]["pages_in_file"]
        for line in lines:
            if "piece" not in line:
                continue
            assert hashlib.sha256(documents[line["piece"]]).hexdigest() == line["sha256"]
            assert line["first_page"] % 2 == 1
            with pypdfium2.PdfDocument(documents[line["piece"]]) as single:
                assert len(single) == line["pages"]
                for number in range(len(single)):
                    there = whole[line["first_page"] - 1 + number].get_textpage().get_text_range()
                    assert there == single[number].get_textpage().get_text_range()
    apart = next(line for line in lines if "apart" in line)
    assert apart["why"] == "filling did not make it"
    assert (tmp_path / "s" / apart["file"]).read_bytes() == documents[apart["apart"]]
    assert not list((tmp_path / "s").glob(".*"))


def test_streams_are_sorted_and_divided(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """By postcode and pages; apart by a field; never more documents or sheets than was said."""
    told = bundled(ran, tmp_path / "a", "--by", "postcode,pages", "--most", "9")
    assert [one["documents"] + sum(one["apart"].values()) for one in told["streams"]] == [9, 9, 5]
    order = [line for one in told["streams"] for line in manifest_of(tmp_path / "a", one["stream"]) if "sha256" in line]
    pages = [line["pages"] for line in order if "pages" in line and "documents" not in line]
    assert pages == [*sorted(pages[:8]), *sorted(pages[8:15]), *sorted(pages[15:])]
    divided = bundled(ran, tmp_path / "b", "--apart", "address.postal_code", "--by", "pages")
    assert [one["documents"] + sum(one["apart"].values()) for one in divided["streams"]] == [8, 7, 8]
    sheets = bundled(ran, tmp_path / "c", "--most-sheets", "6", "--simplex")
    assert all(one["sheets"] <= 6 for one in sheets["streams"])
    assert sum(one["documents"] for one in sheets["streams"]) == PEOPLE - 1
    simplex = bundled(ran, tmp_path / "d", "--simplex")["streams"][0]
    assert simplex["pages"] == simplex["pages_in_file"] == simplex["sheets"]


def test_documents_are_printed_again_by_number_range_and_id(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """A small stream of its own in the same order; who and why is kept; what is not there is named."""
    root, ccm = ran
    first = bundled(ran, tmp_path / "s")["streams"][0]["stream"]
    manifest = tmp_path / "s" / f"{first}.jsonl"
    pieces = [line["piece"] for line in manifest_of(tmp_path / "s", first) if "piece" in line]
    again = ("bundle", "reprint", str(manifest))
    ended = ccm(*again, "12-14", "3", pieces[12], "--reason", "torn", "--by", "Ada", "--json", cwd=root)
    assert ended.code == 0, ended.stderr
    assert ended.json["stream"] == f"{first}.r01"
    head, *lines, end = manifest_of(tmp_path / "s", f"{first}.r01")
    assert [line["piece"] for line in lines] == [pieces[at] for at in (2, 11, 12, 13)]
    assert (head["reprint_by"], head["reprint_reason"], end["documents"]) == ("Ada", "torn", 4)
    assert ccm(*again, "1", "--reason", "lost", cwd=root).stdout.startswith(str(tmp_path / "s" / f"{first}.r02"))
    for wrong in ("0", "99", "5-3", "p-nobody"):
        refused = ccm(*again, wrong, "--reason", "lost", cwd=root)
        assert refused.code == 1
        assert wrong in refused.stderr
    assert ccm("audit", "--json", cwd=root).json[-1]["action"] == "exported"


def test_what_cannot_be_bundled_is_named(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """A folder with streams, keys that nobody has, runs that nobody knows; a lost document is an exception."""
    root, ccm = ran
    bundled(ran, tmp_path / "s")
    for args, code, hint in (
        ((RUN, "-o", str(tmp_path / "s")), 1, "already"),
        ((RUN, "-o", str(tmp_path / "t"), "--by", "customer.shoe_size"), 1, "no document has"),
        ((RUN, "-o", str(tmp_path / "t"), "--by", "Postcode"), 2, "postcode"),
        (("news.twice", "-o", str(tmp_path / "t")), 3, "ccm status"),
    ):
        ended = ccm("bundle", *args, cwd=root)
        assert ended.code == code, ended.stderr
        assert hint in ended.stderr


def test_a_lost_document_is_an_exception(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """One that the archive lost, or has otherwise, is named and stops no other."""
    root, ccm = ran
    workspace = load_workspace(root, lint=False)[0]
    assert workspace is not None
    kept = kept_pieces(workspace)
    lost = next(iter(kept.documents_of(RUN)))
    kept.close()
    path = root / "archive" / lost.archived[:2] / lost.archived[2:4] / lost.archived
    before = path.read_bytes()
    path.chmod(0o600)
    path.unlink()
    try:
        told = bundled(ran, tmp_path / "s")
        shown = ccm("bundle", RUN, "-o", str(tmp_path / "t"), cwd=root)
    finally:
        path.write_bytes(before)
    assert told["exceptions"] == {"not-as-accepted": 1}
    assert told["left_out"] == [{"piece_id": lost.piece_id, "reason": "not-as-accepted"}]
    assert lost.piece_id in shown.stderr
    assert "ccm verify PIECE" in shown.stderr
    assert told["balanced"]
    assert told["streams"][0]["documents"] == PEOPLE - 2


def test_many_left_out_for_one_reason_hide_no_other() -> None:
    """The first of each reason are named, so that one damaged document stands out from thousands that were erased."""
    left_out = LeftOut()
    (piece,) = sample_decision("C-1", (Channel.DOCUMENT,)).pieces
    for _ in range(250):
        left_out.add(piece, "erased")
    left_out.add(piece, "not-as-accepted")
    assert left_out.exceptions == {"erased": 250, "not-as-accepted": 1}
    assert left_out.named[-1] == (piece.piece_id, "not-as-accepted")
    assert len(left_out.named) == 101


def test_thinned_and_erased_documents(tmp_path: Path) -> None:
    """Thinned ones are composed again to the same bytes; of an erased customer nothing is printed."""
    root = print_workspace(tmp_path / "w", people()[:4], "folder: print")
    with ForkedCcm() as ccm:
        assert ccm("run", "news", "--as-of", AS_OF, cwd=root).code == 0
        before = bundled((root, ccm), tmp_path / "a")
        assert ccm("archive", "--thin", RUN, "--yes", cwd=root).code == 0
        after = bundled((root, ccm), tmp_path / "b")
        assert [one["sha256"] for one in before["streams"]] != [""]
        names = [
            [line.get("piece") for line in manifest_of(folder, before["streams"][0]["stream"])]
            for folder in (tmp_path / "a", tmp_path / "b")
        ]
        assert names[0] == names[1]
        assert after["streams"][0]["documents"] == 4
        assert ccm("erase", "P-001", "--yes", cwd=root).code == 0
        gone = bundled((root, ccm), tmp_path / "c")
        assert (gone["streams"][0]["documents"], gone["exceptions"]) == (3, {"erased": 1})


def test_keys_are_known_words_or_paths_of_fields() -> None:
    """A misspelt word is told before anything is read."""
    Chosen(by=("postcode", "customer.segment"))
    for wrong in ("postal", "customer", "Customer.name", "a;b"):
        with pytest.raises(UnknownKey):
            Chosen(by=(wrong,))


def test_any_reader_opens_a_stream(ran: tuple[Path, ForkedCcm], tmp_path: Path) -> None:
    """qpdf and Poppler find every page and every bookmark."""
    stream = bundled(ran, tmp_path / "s")["streams"][0]
    path = tmp_path / "s" / f"{stream['stream']}.pdf"
    with pikepdf.open(path) as opened:
        assert len(opened.pages) == stream["pages_in_file"]
        assert len(opened.open_outline().root) == stream["documents"]
    try:
        text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("Poppler is not here")
    assert text.stderr == ""
    assert text.stdout.count("of Person 3\n") == 60
