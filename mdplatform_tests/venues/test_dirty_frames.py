"""Frames that users of other systems report as their bad days: none is refused, and what they say is understood."""

import json
from pathlib import Path

import pytest

from mdplatform_tests.venues.replaying import of, replay


def lines(shared_data: Path, name: str) -> list[bytes]:
    return (shared_data / "dirty" / name).read_bytes().splitlines()


@pytest.mark.parametrize("number", range(5))
def test_a_dirty_frame_is_no_dead_letter(number: int, shared_data: Path) -> None:
    case = json.loads(lines(shared_data, "frames.jsonl")[number])
    frame = json.dumps(case["frame"], separators=(",", ":")).encode()
    _, summary = replay(case["venue"], [b"1790000000000000000 " + frame])
    assert not summary.dead_letters, case["right"]


def test_liquidations_that_come_alone_are_two_events(shared_data: Path) -> None:
    messages, summary = replay("gate", lines(shared_data, "liquidation_as_object.gate.txt"))
    assert [(one["side"], one["raw_size"]) for one in of(messages, "liquidation")] == [("sell", 23), ("buy", 9)]
    assert not summary.dead_letters


def test_quotes_whose_numbers_begin_again_are_all_there(shared_data: Path) -> None:
    messages, _ = replay("gate", lines(shared_data, "quotes_begin_anew.gate.txt"))
    assert [quote["sequence"] for quote in of(messages, "quote")] == [900, 901, 5, 6]
    assert [one["cause"] for one in of(messages, "status") if one["state"] == "gap"][:1] == ["sequence_reset"]
