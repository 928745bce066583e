"""The documented questions, asked of the recordings: they give what plain Python makes of the same events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from mdplatform import read
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform.warehouse.analysis import analyses, analysis
from mdplatform_tests.read import oracle
from mdplatform_tests.read.recorded import END, START

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
    with pytest.raises(ConfigError, match="no query is named 'vwap'; there are coverage, effective_spread, "):
        analysis("vwap")


def test_each_question_is_answered_with_its_defaults(market: Settings) -> None:
    for name in analyses():
        assert len(read.query(name, market, end=START - timedelta(days=9))) == 0
