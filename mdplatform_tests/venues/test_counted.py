"""Frames that give no event, by design, are counted by kind: nothing is left out in silence."""

from pathlib import Path

import pytest

from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.player import Summary

FRAMES = Path(__file__).parents[1] / "frames"


@pytest.mark.parametrize(
    ("venue", "case", "counted"),
    [
        ("bitget", "a_repeated_update_is_dropped", {"repeated_update": 1}),
        ("bitget", "updates_before_a_snapshot_wait", {"update_before_snapshot": 2}),
        ("bitget", "trades_repeat_after_a_subscription", {"duplicate_trade": 2}),
        ("bitget", "best_prices_are_quotes", {"repeated_quote": 1}),
        ("bitget", "books50_is_no_book_of_ours", {"books50": 2}),
        ("gate", "a_stream_begins_with_its_book", {"repeated_update": 1}),
        ("gate", "a_stream_that_lost_an_update_has_a_gap", {"update_before_snapshot": 1}),
        ("gate", "a_repeated_update_is_dropped", {"repeated_update": 1}),
        ("gate", "forced_orders_carry_no_id", {"duplicate_liquidation": 3}),
        ("gate", "a_quote_without_size_is_a_side_less", {"no_quote": 3}),
        ("kraken", "spot_a_wrong_checksum_opens_a_gap", {"update_before_snapshot": 1}),
        ("kraken", "spot_trades_are_numbered", {"earlier_trade": 3, "duplicate_trade": 1}),
        ("kraken", "futures_updates_follow_a_snapshot", {"update_before_snapshot": 1, "repeated_update": 1}),
        ("kraken", "futures_trades_and_liquidations", {"earlier_trade": 4, "duplicate_trade": 1}),
        ("kraken", "spot_a_ticker_side_of_zero_is_no_side", {"no_quote": 3}),
        ("kucoin", "uta_books_begin_with_their_snapshot", {"update_before_snapshot": 1, "repeated_update": 1}),
        ("kucoin", "diffs_join_a_snapshot", {"repeated_update": 1}),
        ("kucoin", "trades_are_known_by_their_ids", {"duplicate_trade": 2}),
    ],
)
def test_what_gives_no_event_is_counted(venue: str, case: str, counted: dict[str, int]) -> None:
    summary = Summary()
    list(normalize(venue, (FRAMES / venue / f"{case}.frames.jsonl").read_bytes().splitlines(), summary=summary))
    assert {kind: summary.ignored[kind] for kind in counted} == counted
