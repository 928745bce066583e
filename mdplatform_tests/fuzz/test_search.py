"""The search itself: coverage leads it, and what it keeps is short."""

from __future__ import annotations

import pytest

from mdplatform_tests.fuzz.search import Finding, Search


def planted(data: bytes) -> None:
    """Fails on what begins with FUZZ: by luck alone one input in four thousand million."""
    if not data.startswith(b"F"):
        return
    if not data.startswith(b"FU"):
        return
    if not data.startswith(b"FUZ"):
        return
    if data.startswith(b"FUZZ"):
        raise KeyError(data)


def test_a_defect_behind_several_conditions_is_found() -> None:
    with pytest.raises(Finding, match="planted fails with KeyError"):
        Search("planted", planted, [b"FUN", b"A ZOO"], code=__file__).run(40_000)


def test_what_is_kept_is_as_short_as_its_steps_allow() -> None:
    search = Search("short", lambda data: b"{" in data and planted(data), [b"x" * 3000], code=__file__)
    search.run(2000)
    assert all(len(data) <= 16 for data in search.kept)
