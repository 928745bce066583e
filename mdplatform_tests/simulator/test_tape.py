"""Simulated recordings."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.venues.registry import venue_ids
from mdplatform_tests.simulator.tape import generate

START = 1_780_000_000_000_000_000
VENUES = venue_ids()


@pytest.mark.parametrize("venue", VENUES)
def test_the_same_arguments_give_the_same_bytes(venue: str) -> None:
    one, other = (list(generate(venue, ["BTC-USDT", "ETH"], START, 5)) for _ in range(2))
    assert one == other
    assert one


@pytest.mark.parametrize("venue", VENUES)
def test_another_seed_gives_other_frames(venue: str) -> None:
    assert list(generate(venue, ["BTC"], START, 2, seed=1)) != list(generate(venue, ["BTC"], START, 2, seed=2))


@pytest.mark.parametrize("venue", VENUES)
def test_receive_times_never_go_back_and_span_the_recording(venue: str) -> None:
    times = [received_ns for received_ns, _ in generate(venue, ["BTC"], START, 3)]
    assert times == sorted(times)
    assert times[-1] - START > 2_000_000_000


def test_binance_snapshots_join_the_diffs() -> None:
    lines = [json.loads(frame) for _, frame in generate("binance", ["BTC"], START, 4)]
    snapshot = next(line for line in lines if "lastUpdateId" in line)
    diffs = [line["data"] for line in lines if line.get("stream", "").endswith("@depth@100ms")]
    assert all(later["U"] == earlier["u"] + 1 for earlier, later in pairwise(diffs))
    assert any(diff["U"] <= snapshot["lastUpdateId"] + 1 <= diff["u"] for diff in diffs)


def test_faults_mark_the_recording() -> None:
    whole = len(list(generate("binance", ["BTC"], START, 5)))
    assert len(list(generate("binance", ["BTC"], START, 5, faults="at=1 drop count=5"))) == whole - 5


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(ConfigError, match="no venue 'mtgox'"):
        next(generate("mtgox", ["BTC"], START, 1))


def test_an_unknown_asset_is_refused() -> None:
    with pytest.raises(ConfigError, match="no asset 'PEPE'"):
        next(generate("binance", ["PEPE-USDT"], START, 1))
