"""Frames in, events out: one pair of files a case. A new case adds no Python."""

from pathlib import Path

import pytest

from mdplatform.recordings.normalize import normalize

FRAMES = Path(__file__).parents[1] / "frames"
CASES = sorted(FRAMES.glob("*/*.frames.jsonl"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.name.removesuffix('.frames.jsonl')}")
def test_frames_become_exactly_these_events(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    expected = path.with_name(path.name.replace(".frames.", ".events.")).read_bytes().splitlines()
    assert list(normalize(path.parent.name, lines)) == expected


def test_every_venue_has_golden_frames() -> None:
    from mdplatform.venues import venue_ids

    assert {path.parent.name for path in CASES} >= set(venue_ids())
