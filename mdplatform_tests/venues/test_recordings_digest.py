"""What becomes of every recording is, to the last byte, what it was when ``recordings_digest.txt`` was written."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from mdplatform.venues import venue_ids
from mdplatform_tests.venues.recordings_digest import RECORDINGS, WRITTEN, digests, golden, recorded


def kept(name: str) -> list[str]:
    return [line for line in WRITTEN.read_text().splitlines() if line.startswith(f"{name} ")]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_gives_the_same_events_and_commands(shared_data: Path, name: str) -> None:
    venue_id, lines = recorded(name)
    assert digests(venue_id, name, lines) == kept(name)


@pytest.mark.parametrize("venue_id", venue_ids())
def test_golden_frames_give_the_same_events_and_commands(venue_id: str) -> None:
    name = f"{venue_id}/golden"
    assert digests(venue_id, name, golden(venue_id)) == kept(name)


def test_one_changed_byte_changes_a_digest() -> None:
    lines = golden("binance")
    changed: Iterable[bytes] = (line.replace(b'"p":"', b'"p":"1', 1) for line in lines)
    assert digests("binance", "binance/golden", list(changed)) != kept("binance/golden")
