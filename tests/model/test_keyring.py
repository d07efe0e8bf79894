"""Secrets: marks that nobody can read back, and a change of secret that loses nobody."""

from __future__ import annotations

import pytest

from ccm.model.keyring import Key, Keyring

OLD, NEW = "the secret of last year", "the secret of this year"


def test_a_mark_is_the_same_every_time_and_differs_by_text_and_secret() -> None:
    """Deterministic, so that processes agree; keyed, so that nobody can try addresses without the secret."""
    ring = Keyring.of(OLD)
    assert ring.mark("a") == Keyring.of(OLD).mark("a")
    assert len({ring.mark("a"), ring.mark("b"), Keyring.of(NEW).mark("a")}) == 3
    assert "a@example" not in ring.mark("a@example.com")


def test_a_new_secret_still_recognises_what_the_old_one_marked() -> None:
    """The newest marks; every one is looked for."""
    changed = Keyring.of(NEW, OLD)
    assert changed.mark("a") == Keyring.of(NEW).mark("a")
    assert Keyring.of(OLD).mark("a") in changed.marks("a")
    assert changed.key(Key(OLD.encode()).ident) == Key(OLD.encode())
    assert changed.key("zzzzzz") is None


@pytest.mark.parametrize("secrets", [(), ("short",), (OLD, "")])
def test_a_weak_secret_is_refused_without_being_shown(secrets: tuple[str, ...]) -> None:
    """Too short, or none."""
    with pytest.raises(ValueError, match="at least 16") as problem:
        Keyring.of(*secrets)
    assert "short" not in str(problem.value)


def test_a_secret_is_never_printed() -> None:
    """Neither the ring nor a key shows it in a traceback."""
    assert OLD not in repr(Keyring.of(OLD))
    assert Keyring.of(OLD).newest.ident in repr(Keyring.of(OLD))
