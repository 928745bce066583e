"""Bybit's own public history of one book, and published samples of other frames."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mdplatform.core.clock import MS
from mdplatform.core.errors import FrameError
from mdplatform.recordings.player import Summary
from mdplatform.venues import venue
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay

NAME = "nautilus_2024-12-01_XRPUSDT_ob500.data.jsonl"


@pytest.fixture(scope="module")
def frames(shared_data: Path) -> list[bytes]:
    """A snapshot and 49 deltas, without receive times."""
    return (shared_data / "bybit" / NAME).read_bytes().splitlines()


@pytest.fixture(scope="module")
def samples(shared_data: Path) -> dict[str, Any]:
    lines = (shared_data / "bybit" / "nautilus_message_samples.jsonl").read_bytes().splitlines()
    return {Path(row["file"]).stem: json.loads(row["text"]) for row in map(json.loads, lines)}


def played(frames: Iterable[bytes]) -> tuple[list[Message], Summary]:
    """Received when they were pushed."""
    return replay("bybit", [b"%d %s" % (json.loads(frame)["ts"] * MS, frame) for frame in frames])


def sampled(sample: Any, at_ms: int = 1709891680000) -> tuple[list[Message], Summary]:
    return replay("bybit", [b"%d %s" % (at_ms * MS, json.dumps(sample).encode())])


def test_a_snapshot_and_deltas_give_a_book_each_in_unbroken_sequence(frames: list[bytes]) -> None:
    messages, summary = played(frames)
    books = of(messages, "book")
    assert [book["sequence"] for book in books] == list(range(20254869, 20254919))
    assert [book["previous_sequence"] for book in books] == [None, *range(20254869, 20254918)]
    assert intervals(messages, "book") == [("valid", "snapshot", None)]
    assert not summary.dead_letters
    assert {book["symbol"] for book in books} == {"XRP-USDT-PERP"}
    for book in books:
        check_sound(book)


def test_the_last_book_is_what_plain_dictionaries_give(frames: list[bytes]) -> None:
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    for frame in map(json.loads, frames):
        for side, levels in sides.items():
            levels.update(frame["data"][side])
    last = of(played(frames)[0], "book")[-1]
    for side, descending in (("b", True), ("a", False)):
        held = {float(price): float(size) for price, size in sides[side].items() if float(size)}
        best = sorted(held, reverse=descending)[:20]
        assert [float(price) for price in last[side]] == best
        assert [float(size) for size in last[f"{side}v"]] == [held[price] for price in best]


def test_a_cut_delta_is_noticed_at_the_next_message(frames: list[bytes]) -> None:
    for cut in (1, 25, 48):
        messages, _ = played(frames[:cut] + frames[cut + 1 :])
        assert intervals(messages, "book") == [("valid", "snapshot", None), ("gap", "sequence_gap", 1)]
        assert of(messages, "book")[-1]["sequence"] == 20254869 + cut - 1


def test_swapped_deltas_are_noticed_and_a_doubled_one_does_no_harm(frames: list[bytes]) -> None:
    messages, _ = played([*frames[:10], frames[11], frames[10], *frames[12:]])
    assert intervals(messages, "book") == [("valid", "snapshot", None), ("gap", "sequence_gap", 1)]
    messages, summary = played([*frames[:10], frames[9], *frames[10:]])
    assert len(of(messages, "book")) == 50
    assert summary.ignored == {"repeated_update": 1}


def test_the_next_snapshot_mends_a_gap(frames: list[bytes]) -> None:
    messages, _ = played([*frames[:10], *frames[11:], frames[0], *frames[1:]])
    causes = [cause for _, cause, _ in intervals(messages, "book")]
    assert causes == ["snapshot", "sequence_gap", "snapshot"]
    assert of(messages, "book")[-1]["sequence"] == 20254918


def test_a_sampled_linear_ticker_gives_funding(samples: dict[str, Any]) -> None:
    (row,) = of(sampled(samples["ws_ticker_linear"])[0], "funding")
    assert (row["symbol"], row["next_funding_ts"]) == ("BTC-USDT-PERP", 1673280000000)
    assert (str(row["rate"]), str(row["mark_price"])) == ("-0.000212", "17217.33")


def test_sampled_replies_are_understood(samples: dict[str, Any]) -> None:
    assert sampled(samples["ws_subscription_ack"])[1].ignored == {"acknowledgement": 1}
    assert sampled(samples["ws_subscription_failure"])[1].dead_letters == {"venue_error": 1}


def test_samples_that_are_not_used_are_counted(samples: dict[str, Any]) -> None:
    assert sampled(samples["ws_kline"])[1].ignored == {"kline": 1}
    for name in ("http_get_orderbook", "http_get_trades_recent", "http_get_funding_history", "http_get_klines_linear"):
        assert sampled(samples[name])[1].ignored == {"rest_answer": 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ws_orderbook_delta", "obsolete_format"),  # orderbook.1 has sent snapshots only since 2025-03-20
        ("ws_orderbook_snapshot", "wrong_shape"),  # two levels in orderbook.1
        ("ws_public_trade", "unknown_message"),  # the topic trade.linear.*
        ("ws_ticker_option", "unknown_instrument"),
    ],
)
def test_samples_of_what_is_not_sent_any_more_are_refused(samples: dict[str, Any], name: str, reason: str) -> None:
    assert sampled(samples[name])[1].dead_letters == {reason: 1}


def test_sampled_lists_give_their_instruments(samples: dict[str, Any]) -> None:
    listed = {
        name: [row.symbol for row in venue("bybit").parse_instruments(json.dumps(sample).encode()).instruments]
        for name, sample in samples.items()
        if name.startswith("http_get_instruments")
    }
    assert listed["http_get_instruments_linear"] == ["BTC-USDT-PERP", "ETH-USDT-PERP"]
    assert listed["http_get_instruments_inverse"] == ["BTC-USD-PERP"]
    assert listed["http_get_instruments_spot"] == ["BTC-USDT", "ETH-USDT"]
    assert listed["http_get_instruments_option"] == ["ETH-USDC-20260528-16000-P"]  # by the time of delivery
    assert listed["http_get_instruments_option_symbol_id"] == ["BTC-USD-20250615-100000-C"]


def test_another_answer_is_no_list(samples: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="not an instruments-info answer"):
        venue("bybit").parse_instruments(json.dumps(samples["http_get_trades_recent"]).encode())
