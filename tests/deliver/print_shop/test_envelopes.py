"""Which letters share an envelope, what else goes in, and in what order envelopes lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from deliver.print_shop.print_pages import postal

from ccm.deliver.print_shop.envelopes import FLAT, FOLDED, plan_envelopes
from ccm.deliver.print_shop.households import household, surname
from ccm.deliver.print_shop.settings import PrintSettings, read_settings
from ccm.deliver.print_shop.spool import SpooledPiece
from ccm.deliver.print_shop.words import Householding
from ccm.model.records import PostalAddress

FAMILY = {"householding": "yes"}


def piece(ident: str, to: PostalAddress | None = None, pages: int = 1, **fields: str) -> SpooledPiece:
    base = SpooledPiece(
        piece_id=ident, run="r", campaign="notice", occurrence="2026-10", brand="Plain Ltd", release="notice@1.0.0+abc",
        locale="de-DE", filename="x.pdf", pages=pages, sha256="0" * 64, postal=to or postal(),
    )  # fmt: skip
    return replace(base, **fields)


def settings(given: Mapping[str, str]) -> PrintSettings:
    return read_settings("mine", given, root="/nowhere")


def shared(given: Mapping[str, str], *pieces: SpooledPiece, form: str = FOLDED) -> list[str]:
    """Return the pieces of every envelope, joined."""
    forms, exceptions = plan_envelopes(pieces, settings(given))
    assert not exceptions
    return [" ".join(letter.piece_id for letter in one.letters) for one in forms[form]]


@pytest.mark.parametrize(
    ("first", "second", "rules"),
    [
        # the same person; case, accents, punctuation and the spelling of street do not count
        (("Ana Müller", "Hauptstr. 5"), ("ANA MULLER", "Hauptstraße 5"), {"yes", "family", "person"}),
        # one family
        (("Ana Müller", "Weg 5"), ("Dr. Ben Müller jr.", "Weg 5"), {"yes", "family"}),
        (("Anna & Peter Müller", "Weg 5"), ("Peter Müller", "Weg 5"), {"yes", "family"}),
        # another surname, another house, another flat
        (("Ana Müller", "Weg 5"), ("Ben Meyer", "Weg 5"), set()),
        (("Ana Müller", "Weg 5"), ("Ana Müller", "Weg 6"), set()),
        (("Ana Müller", "Weg 5, flat 1"), ("Ben Müller", "Weg 5, flat 2"), set()),
        # two firms of one house, although both names end alike
        (("Alpha GmbH", "Weg 5"), ("Beta GmbH", "Weg 5"), set()),
        (("Alpha GmbH", "Weg 5"), ("alpha GmbH", "Weg 5"), {"yes", "family", "person"}),
        # names of one word are whole names
        (("Madonna", "Weg 5"), ("Cher", "Weg 5"), set()),
        # nobody's letter
        (("", "Weg 5"), ("", "Weg 5"), set()),
    ],
)
def test_who_shares(first: tuple[str, str], second: tuple[str, str], rules: set[str]) -> None:
    """By every setting; `no` never shares."""
    pieces = piece("a", postal(*first)), piece("b", postal(*second))
    for rule in ("no", "yes", "family", "person"):
        assert (len(shared({"householding": rule}, *pieces)) == 1) is (rule in rules), rule


def test_brands_never_share() -> None:
    """The envelope bears one sender's name."""
    assert shared(FAMILY, piece("a"), piece("b", brand="Other Ltd")) == ["a", "b"]


def test_countries_and_postal_codes_keep_apart() -> None:
    """The same street stands in many towns."""
    assert len(shared(FAMILY, piece("a"), piece("b", postal(code="54321")), piece("c", postal(country="AT")))) == 3


def test_a_firm_is_not_its_people() -> None:
    """A letter to the firm and one to somebody in it go apart."""
    firm = replace(postal("Ana Müller"), company="Alpha", lines=("Ana Müller", "Alpha", "Musterweg 1", "12345 Stadt"))
    assert len(shared(FAMILY, piece("a", firm), piece("b", postal("Ana Müller")))) == 2


@pytest.mark.parametrize(
    ("name", "country", "expected"),
    [
        ("Ana de la Cruz", "ES", "cruz"),
        ("Nagy Anna", "HU", "nagy"),
        ("山田太郎", "JP", "山田太郎"),
        ("山田 太郎", "JP", "山田"),
        ("Игорь Чайкин", "RU", "чайкин"),
        ("Frau Dr. Ana Łódź", "PL", "lodz"),
        ("Henry Ford III", "US", "ford"),
        ("Studio 54", "US", "studio 54"),
        ("Miller Ltd.", "GB", "miller ltd"),
    ],
)
def test_surnames(name: str, country: str, expected: str) -> None:
    """The last word, where names are written so; the whole name where that is not sure."""
    # Polish ł has no accent to take off: it stays itself.
    assert surname(name, country) == expected.replace("lodz", "łodz")


def test_marks_of_other_scripts_are_letters() -> None:
    """Taking them off would make one person of two."""
    one, two = (household(postal(name), "b", Householding.PERSON) for name in ("かな 花", "がな 花"))
    assert one != two


def test_limits_split_a_household() -> None:
    """A document is never divided; what does not fit opens the next envelope."""
    pieces = [piece(ident, pages=6) for ident in "abcd"]  # three sheets each
    assert shared(FAMILY | {"max_sheets": "8"}, *pieces) == ["a b", "c d"]
    assert shared(FAMILY | {"max_sheets": "3"}, *pieces) == ["a", "b", "c", "d"]
    assert shared(FAMILY | {"max_sheets": "6", "duplex": "no"}, *pieces) == ["a", "b", "c", "d"]
    weights = {"max_grams": "35", "sheet_grams": "5", "envelope_grams": "5"}
    assert shared(FAMILY | weights, *pieces) == ["a b", "c d"]
    assert shared(FAMILY | weights | {"max_grams": "34"}, *pieces) == ["a", "b", "c", "d"]


def test_long_documents_go_flat_and_alone() -> None:
    """They run on another machine, so in batches of their own."""
    forms, exceptions = plan_envelopes([piece("a"), piece("b", pages=17), piece("c", pages=121)], settings(FAMILY))
    assert [[one.letters[0].piece_id for one in forms[form]] for form in (FOLDED, FLAT)] == [["a"], ["b"]]
    assert [(one.piece_id, one.reason) for one in exceptions] == [("c", "too-many-sheets")]


INSERTS = """
terms-2027 (4 g, required): country == "DE" && pages > 1
flyer (10 g): locale.startsWith("de") && template == "notice"
card (2.5 g): campaign == "notice" && sheets <= 2
"""


def test_inserts_follow_their_rules() -> None:
    """Each once for an envelope, in the order of the setting; weights are summed up."""
    pieces = [piece("a", pages=4), piece("b"), piece("c", postal("Zoe Zet", country="AT"), locale="en-GB")]
    forms, _ = plan_envelopes(pieces, settings(FAMILY | {"inserts": INSERTS}))
    first, second = (next(one for one in forms[FOLDED] if one.letters[0].piece_id == ident) for ident in "ac")
    assert (first.inserts, first.left_out, first.grams) == (("terms-2027", "flyer", "card"), (), 5 + 3 * 5 + 16.5)
    assert (second.inserts, second.grams) == (("card",), 12.5)


def test_optional_inserts_give_way_to_limits() -> None:
    """The first of the list has precedence; what is left out is told."""
    (one,) = plan_envelopes([piece("a", pages=2)], settings({"inserts": INSERTS, "max_grams": "20"}))[0][FOLDED]
    assert (one.inserts, one.left_out, one.grams) == (("terms-2027", "card"), ("flyer",), 16.5)
    (one,) = plan_envelopes([piece("a", pages=2)], settings({"inserts": INSERTS, "max_sheets": "3"}))[0][FOLDED]
    assert (one.inserts, one.left_out) == (("terms-2027", "flyer"), ("card",))


def test_required_inserts_open_another_envelope() -> None:
    """They are thick as a sheet and go in whatever happens."""
    pieces = [piece("a", pages=4), piece("b", pages=4)]
    assert shared(FAMILY | {"max_sheets": "4"}, *pieces) == ["a b"]
    assert shared(FAMILY | {"max_sheets": "4", "inserts": INSERTS}, *pieces) == ["a", "b"]
    forms, _ = plan_envelopes([piece("a", pages=8)], settings({"max_sheets": "4", "inserts": INSERTS}))
    assert forms[FLAT][0].inserts == ("terms-2027", "flyer")


def test_the_order_hangs_on_nothing_but_the_letters() -> None:
    """Country, postal code, address."""
    codes = [("DE", "20000"), ("AT", "9000"), ("DE", "10000"), ("AT", "1000")]
    pieces = [piece(f"p{n}", postal(country=country, code=code)) for n, (country, code) in enumerate(codes)]
    assert shared({}, *pieces) == shared({}, *reversed(pieces)) == ["p3", "p1", "p2", "p0"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("terms: true", "line 1 is no insert"),
        ("terms (4 g): country == 5", "rule is not understood"),
        ("terms (4 g): cuntry == 'DE'", "rule is not understood"),
        ("terms (4 g): country", "no true or false"),
        ("a (1 g): true\na (2 g): true", 'line 2: the insert "a"'),
        ("../../x (4 g): true", "line 1 is no insert"),
    ],
)
def test_wrong_inserts_are_told_before_anything_is_printed(text: str, words: str, tmp_path: Path) -> None:
    """With the line, and what a rule may use."""
    from ccm.deliver.interface import DeliveryError

    with pytest.raises(DeliveryError, match=words) as caught:
        read_settings("mine", {"inserts": text}, root=str(tmp_path))
    assert caught.value.remedy
