"""Transfer encodings: what is encoded in pieces is decoded to what was put in, on lines that every server takes."""

from __future__ import annotations

import quopri

from hypothesis import given
from hypothesis import strategies as st

from ccm.compose.email.mime import encoded_page, filled_page_part, page_part
from ccm.compose.email.transfer import LINE, base64_lines, quoted_printable

TEXTS = st.text(st.sampled_from("ab =.\t\n\ré日\x7f<>\"'"), max_size=200) | st.text(st.characters(codec="utf-8"))


def canonical(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decoded(content: bytes) -> str:
    return quopri.decodestring(content).replace(b"\r\n", b"\n").decode()


@given(TEXTS, TEXTS)
def test_pieces_may_follow_each_other(first: str, second: str) -> None:
    """Encoded alone and put together, two pieces are read as the one text that they are."""
    together = quoted_printable(first) + quoted_printable(second)
    assert decoded(together) == canonical(first) + canonical(second)


@given(TEXTS)
def test_lines_are_short_and_end_visibly(text: str) -> None:
    """RFC 2045 section 6.7: at most 76 characters, printable ASCII and tabs alone, no blank at a line's end."""
    lines = quoted_printable(text).split(b"\r\n")
    assert all(len(line) <= LINE for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert not any(octet > 126 or (octet < 32 and octet != 9) for line in lines for octet in line)


def test_ordinary_values_stay_readable() -> None:
    """A name is copied; an equals sign and letters beyond ASCII are not."""
    assert quoted_printable("Ann Miller") == b"Ann Miller=\r\n"
    assert quoted_printable("a=b ü") == b"a=3Db =C3=BC=\r\n"
    assert quoted_printable("") == b""


@given(st.lists(TEXTS, min_size=1, max_size=4), st.data())
def test_a_filled_part_reads_like_a_whole_one(pieces: list[str], data: st.DataObject) -> None:
    """The part that is put together from encoded pieces says the same as the page encoded in one go."""
    pieces = ["<p>" + "plain words in a page " * 20, *pieces[1:], "</p>\n"]
    values = data.draw(st.lists(TEXTS, min_size=len(pieces) - 1, max_size=len(pieces) - 1))
    encoded = encoded_page(pieces)
    if not encoded:  # base64 is shorter
        return
    part = b"".join(filled_page_part(encoded, values)).partition(b"\r\n\r\n")[2]
    html = "".join(a + b for a, b in zip(map(canonical, pieces), [*map(canonical, values), ""], strict=True))
    assert decoded(part.removesuffix(b"\r\n")) == html


def test_the_shorter_encoding_is_taken() -> None:
    """A page of Chinese travels in base64, a page of markup does not."""
    assert b"quoted-printable" in page_part("<p>hello</p>" * 30)[0]
    assert b"base64" in b"".join(page_part("漢字" * 300))
    assert encoded_page(["漢字" * 300, "漢字"]) == ()


def test_base64_lines_are_76_long() -> None:
    """Also beyond the length that is prepared for."""
    for size in (0, 1, 57, 58, 200_000):
        lines = base64_lines(bytes(size)).split(b"\r\n")
        assert max(map(len, lines)) <= LINE
        assert lines[-1] == b""
