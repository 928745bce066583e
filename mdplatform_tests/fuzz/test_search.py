"""The search itself: coverage leads it, and what it finds is short."""

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


def test_a_defect_behind_several_conditions_is_found_and_is_short() -> None:
    with pytest.raises(Finding, match="planted fails with KeyError") as found:
        Search("planted", planted, [b"FUN", b"A ZOO"], code=__file__).run(20_000)
    assert len(found.value.data) <= 16
