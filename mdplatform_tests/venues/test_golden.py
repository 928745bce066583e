"""Frames in, events out: one pair of files a case. A new case adds no Python."""

from pathlib import Path

import msgspec
import pytest

from mdplatform.core.event_kinds import EVENT_KINDS
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


def test_every_kind_that_a_venue_sends_has_a_golden_event() -> None:
    """By the kinds of its channels; options and expected funding come on channels of other kinds."""
    from mdplatform.venues import venue, venue_ids

    tags = {channel: kind.tag for kind in reversed(EVENT_KINDS) for channel in kind.channels}
    sent = {(name, tags[channel.kind]) for name in venue_ids() for channel in venue(name).channels}
    sent.remove(("coinbase", "quote"))  # its ticker is accepted and not used
    sent |= {(name, "option") for name in ("bybit", "deribit", "okx")}
    sent |= {(name, "predicted_rate") for name in ("gate", "kraken", "okx")}
    there = set()
    for path in CASES:
        for line in path.with_name(path.name.replace(".frames.", ".events.")).read_bytes().splitlines():
            event = msgspec.json.decode(line)
            there.add((path.parent.name, event["type"]))
            if event.get("predicted_rate") is not None:
                there.add((path.parent.name, "predicted_rate"))
    assert sent - there == set()
