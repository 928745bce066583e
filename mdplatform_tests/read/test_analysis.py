"""The documented questions, asked of the recordings: they give what plain Python makes of the same events."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform.warehouse.analysis import analyses, analysis
from mdplatform_tests.read import oracle
from mdplatform_tests.read.recorded import END, START
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]

Recorded = dict[str, list[Event]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def asked(name: str, market: Settings, **parameters: Any) -> pd.DataFrame:
    return read.query(name, market, **{"start": START, "end": END, **parameters})


def by_venue(frame: pd.DataFrame, column: str) -> dict[str, Any]:
    return dict(zip(frame["exchange"], frame[column], strict=True))


def test_spread_by_venue_is_the_mean_by_time(recorded: Recorded, market: Settings) -> None:
    found = by_venue(asked("spread_by_venue", market), "spread_bps")
    assert found == pytest.approx({venue: oracle.mean_spread_bps(events) for venue, events in recorded.items()})


def test_effective_spread_is_realized_spread_and_impact(recorded: Recorded, market: Settings) -> None:
    frame = asked("effective_spread", market, seconds=3)
    columns = zip(frame["exchange"], frame["trades"], frame["effective_bps"], frame["realized_bps"], strict=True)
    expected = {venue: pytest.approx(oracle.effective_bps(events, 3)) for venue, events in recorded.items()}
    assert {venue: tuple(rest) for venue, *rest in columns} == expected
    assert (frame["realized_bps"] + frame["impact_bps"]).tolist() == pytest.approx(frame["effective_bps"].tolist())


@pytest.mark.parametrize("size", [0.01, 5.0])
def test_slippage_is_what_walking_the_levels_costs(recorded: Recorded, market: Settings, size: float) -> None:
    frame = asked("slippage", market, size=size)
    bought = {venue: oracle.buys(events, size) for venue, events in recorded.items()}
    books = {venue: len(found) for venue, found in bought.items()}
    mean = {v: sum(qty * bps for qty, bps in found) / sum(qty for qty, _ in found) for v, found in bought.items()}
    whole = {v: sum(qty == size for qty, _ in found) / books[v] for v, found in bought.items()}
    unfilled = {v: sum(1 - qty / size for qty, _ in found) / books[v] for v, found in bought.items()}
    assert by_venue(frame, "books") == books
    assert by_venue(frame, "mean_buy_bps") == pytest.approx(mean, abs=1e-9)
    assert by_venue(frame, "buys_filled") == pytest.approx(whole)
    assert by_venue(frame, "buys_unfilled") == pytest.approx(unfilled, abs=1e-12)


def test_trades_come_with_the_quote_before_them(recorded: Recorded, market: Settings) -> None:
    frame = asked("trades_with_quotes", market, rows=10_000)
    tops = pd.DataFrame(
        [(top.venue_ns, top.bid, top.ask) for top in oracle.tops(recorded["binance"])], columns=["at", "bid", "ask"]
    )
    trades = pd.DataFrame(
        [(trade.venue_ns, trade.id) for trade in oracle.trades(recorded["binance"])], columns=["at", "id"]
    )
    joined = pd.merge_asof(trades, tops, on="at", allow_exact_matches=False).dropna()
    found = zip(frame["id"], frame["bid_price"], frame["ask_price"], strict=True)
    assert list(found) == list(zip(joined["id"], joined["bid"], joined["ask"], strict=True))


@pytest.mark.parametrize("seconds", [1, 60])
def test_bars_are_of_the_trades_within_them(recorded: Recorded, market: Settings, seconds: int) -> None:
    frame = asked("ohlcv", market, seconds=seconds)
    starts = [int(at.timestamp()) for at in frame["bar"]]
    columns = [frame[name] for name in ("open", "high", "low", "close", "volume")]
    expected = oracle.bars(recorded["binance"], seconds)
    assert starts == list(expected)
    for row, bar in zip(zip(*columns, strict=True), expected.values(), strict=True):
        assert row == pytest.approx(bar)


def test_volatility_is_that_of_even_steps(recorded: Recorded, market: Settings) -> None:
    frame = asked("realized_volatility", market, seconds=1)
    found = zip(frame["exchange"], frame["returns"], frame["volatility_per_year"], strict=True)
    expected = {venue: pytest.approx(oracle.volatility(events, 1)) for venue, events in recorded.items()}
    assert {venue: tuple(rest) for venue, *rest in found} == expected


def test_the_perpetual_leads_spot_whose_books_come_every_100_ms(recorded: Recorded, market: Settings) -> None:
    sides = {"leader": "binance-usdm", "leader_symbol": "BTC-USDT-PERP", "follower": "binance"}
    frame = asked("lead_lag", market, **sides, follower_symbol="BTC-USDT", step_ms=100, lags=3)
    pair = (recorded["binance-usdm"], recorded["binance"])
    expected = [(lag * 100, *oracle.correlation(*pair, 100, lag)) for lag in range(-3, 4)]
    found = list(zip(frame["lag_ms"], frame["pairs"], frame["correlation"], strict=True))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected])
    at = dict(zip(frame["lag_ms"], frame["correlation"], strict=True))
    assert at[100] > 2 * at[-100]


def test_order_flow_is_held_against_the_same_and_the_next_return(recorded: Recorded, market: Settings) -> None:
    frame = asked("order_flow", market, seconds=1)
    columns = [frame[name] for name in ("exchange", "intervals", "correlation", "next_correlation", "bps_per_unit")]
    expected = {venue: pytest.approx(oracle.order_flow(events, 1)) for venue, events in recorded.items()}
    assert {venue: tuple(rest) for venue, *rest in zip(*columns, strict=True)} == expected
    assert all(frame["correlation"] > frame["next_correlation"])


def test_price_impact_is_kyles_lambda_and_amihuds_ratio(recorded: Recorded, market: Settings) -> None:
    frame = asked("price_impact", market, seconds=5)
    columns = [frame[name] for name in ("exchange", "intervals", "lambda_bps", "r_squared", "illiquidity_bps")]
    expected = {venue: pytest.approx(oracle.price_impact(events, 5)) for venue, events in recorded.items()}
    assert {venue: tuple(rest) for venue, *rest in zip(*columns, strict=True)} == expected


@pytest.mark.parametrize("horizon", [1, 5, 15])
def test_realized_spread_at_a_horizon_is_that_of_effective_spread(market: Settings, horizon: int) -> None:
    frame = asked("realized_spread", market, horizons=[1, 5, 15])
    alone = asked("effective_spread", market, seconds=horizon)
    of_it = frame[frame["seconds"] == horizon].reset_index(drop=True)
    for column in ("exchange", "trades"):
        assert of_it[column].tolist() == alone[column].tolist()
    for column in ("realized_bps", "impact_bps"):
        assert of_it[column].tolist() == pytest.approx(alone[column].tolist())


@pytest.mark.parametrize("bps", [0.5, 1.0])
def test_depth_is_what_lies_within_the_bound_and_unknown_where_levels_end(
    recorded: Recorded, market: Settings, bps: float
) -> None:
    frame = asked("depth", market, bps=bps, seconds=5).astype(object)
    found = {
        (row.exchange, int(row.at.timestamp())): tuple(
            None if pd.isna(x) else x for x in (row.bid_depth, row.ask_depth)
        )
        for row in frame.itertuples()
    }
    expected = {
        (venue, at): sides for venue, events in recorded.items() for at, sides in oracle.depth(events, 5, bps).items()
    }
    assert found.keys() == expected.keys()
    assert {None in sides for sides in expected.values()} == {True, False}
    for key, sides in expected.items():
        assert found[key] == pytest.approx(sides)


def test_basis_is_that_of_the_last_mids_and_waits_for_funding(recorded: Recorded, market: Settings) -> None:
    frame = asked("basis", market, seconds=10)
    found = {int(at.timestamp()): bps for at, bps in zip(frame["at"], frame["basis_bps"], strict=True)}
    assert found == pytest.approx(oracle.basis_bps(recorded["binance-usdm"], recorded["binance"], 10))
    assert frame["funding_rate"].isna().all()


def test_carry_is_of_the_rate_stated_last(warehouse: Client, empty: Settings) -> None:
    """Two intervals; a rate before them, and another in the second one, paid every 4 hours."""
    for exchange, symbol, bid in (("binance-usdm", "BTC-USDT-PERP", 100.5), ("binance", "BTC-USDT", 99.5)):
        for at in (30, 90):
            warehouse.command(
                "INSERT INTO md_top_of_book_store (exchange, symbol, timestamp, venue_time, received_at, sequence,"
                " bid_price, bid_size, ask_price, ask_size)"
                f" SELECT '{exchange}', '{symbol}', t, t, t, {at}, {bid}, 1, {bid} + 1, 1"
                f" FROM (SELECT toDateTime64('2026-11-21 09:00:00', 9, 'UTC') + INTERVAL {at} SECOND AS t)"
            )
    for at, rate in ((-100, 0.0001), (70, 0.0003)):
        warehouse.command(
            "INSERT INTO md_funding_store (exchange, symbol, timestamp, venue_time, received_at, rate)"
            f" SELECT 'binance-usdm', 'BTC-USDT-PERP', t, t, t, {rate}"
            f" FROM (SELECT toDateTime64('2026-11-21 09:00:00', 9, 'UTC') + INTERVAL {at} SECOND AS t)"
        )
    hour = {"start": "2026-11-21T09:00", "end": "2026-11-21T10:00"}
    frame = read.query("basis", empty, hours=4, **hour)
    assert frame["basis_bps"].tolist() == pytest.approx([100.0, 100.0])
    assert frame["funding_rate"].tolist() == [0.0001, 0.0003]
    assert frame["carry_per_year"].tolist() == pytest.approx([0.0001 * 6 * 365, 0.0003 * 6 * 365])


def test_trade_sizes_are_counted_in_bins_of_notional(recorded: Recorded, market: Settings) -> None:
    frame = asked("trade_sizes", market, bins=3)
    for venue, events in recorded.items():
        of_it = frame[frame["exchange"] == venue]
        found = list(zip(of_it["from_notional"], of_it["trades"], of_it["volume"], strict=True))
        expected = oracle.trade_sizes(events, 3)
        assert [row[1] for row in found] == [row[1] for row in expected]
        assert [x for row in found for x in row] == pytest.approx([x for row in expected for x in row])
        assert of_it["share_of_trades"].sum() == pytest.approx(1)
        assert of_it["share_of_volume"].sum() == pytest.approx(1)


def test_the_matrix_of_lags_holds_the_best_of_each_pair(recorded: Recorded, market: Settings) -> None:
    frame = asked("lead_lag_matrix", market, step_ms=100, lags=3)
    symbols = {"binance": "BTC-USDT", "binance-coinm": "BTC-USD-PERP", "binance-usdm": "BTC-USDT-PERP"}
    expected = {}
    for one, other in itertools.combinations(sorted(symbols), 2):
        found = {lag: oracle.correlation(recorded[one], recorded[other], 100, lag) for lag in range(-3, 4)}
        lag, (pairs, correlation) = max(found.items(), key=lambda item: (item[1][1], -abs(item[0])))
        feeds = [f"{venue} {symbols[venue]}" for venue in ((one, other) if lag >= 0 else (other, one))]
        expected[*feeds] = pytest.approx((100 * abs(lag), correlation, found[0][1], pairs))
    columns = [frame[n] for n in ("leader", "follower", "lag_ms", "correlation", "correlation_at_0", "pairs")]
    assert {(leader, follower): tuple(rest) for leader, follower, *rest in zip(*columns, strict=True)} == expected


def test_every_question_says_what_it_answers_and_what_its_parameters_mean() -> None:
    for question in analyses().values():
        assert question.title.endswith(".")
        assert all(parameter.meaning for parameter in question.parameters.values())


def test_the_last_hour_is_meant_where_no_time_is_given() -> None:
    bound = analysis("ohlcv").bound({}, NOW)
    assert (bound["start"], bound["end"]) == ("2026-11-21 11:00:00", "2026-11-21 12:00:00")
    assert (bound["exchange"], bound["seconds"]) == ("binance", "60")


def test_an_end_alone_means_the_hour_before_it() -> None:
    bound = analysis("ohlcv").bound({"end": "2026-11-01T10:30"}, NOW)
    assert (bound["start"], bound["end"]) == ("2026-11-01 09:30:00", "2026-11-01 10:30:00")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"minutes": 5}, "ohlcv takes exchange, symbol, seconds, start, end; not minutes"),
        ({"start": "yesterday"}, "start must be a time like 2026-11-21T10:30, not 'yesterday'"),
        ({"end": datetime(2026, 11, 21)}, "end must be a datetime with a time zone, not datetime"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        analysis("ohlcv").bound(given, NOW)
    assert str(raised.value).startswith(problem)


def test_a_name_that_nobody_knows_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="no query is named 'vwap'; there are basis, best_across, coverage, depth, "):
        analysis("vwap")


def test_each_question_is_answered_with_its_defaults(market: Settings) -> None:
    for name in analyses():
        assert len(read.query(name, market, end=START - timedelta(days=9))) == 0
