"""Ten questions of an analyst, each as SQL and as frames, and each against what plain Python makes of the events."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pandas as pd
import pytest

from mdplatform import read
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform_tests.read import oracle
from mdplatform_tests.read.recorded import END, START

VENUE, SYMBOL = "binance", "BTC-USDT"
MOMENT = START + timedelta(minutes=56)
WHERE = f"exchange = '{VENUE}' AND symbol = '{SYMBOL}' AND timestamp >= '{START:%F %T}' AND timestamp < '{END:%F %T}'"
Frame = Callable[[str], pd.DataFrame]


class Question(NamedTuple):
    text: str
    sql: str  # gives one number
    frames: Callable[[Frame], float]
    events: Callable[[list[Event]], float]


def moment_ns() -> int:
    return int(MOMENT.timestamp()) * 10**9


def close_of_minute(trades: pd.DataFrame) -> float:
    ordered = trades.assign(number=trades["id"].astype("int64")).sort_values(["venue_time", "number"])
    return float(ordered.groupby(ordered["venue_time"].dt.floor("min"))["price"].last().iloc[1])


def close_by_oracle(events: list[Event]) -> float:
    return list(oracle.bars(events, 60).values())[1][3]


def sum_of(events: list[Event], of: Callable[[Any], float]) -> float:
    return math.fsum(of(trade) for trade in oracle.trades(events))


def notional(trade: Any) -> float:
    return float(trade.price) * float(trade.size)


def top_before(tops: pd.DataFrame) -> pd.Series:
    before = tops[tops["venue_time"] <= MOMENT].sort_values(["venue_time", "sequence"])
    return before.iloc[-1]


QUESTIONS = (
    Question(
        "how many trades were there?",
        f"SELECT count() FROM md_trades WHERE {WHERE}",
        lambda frame: len(frame("trades")),
        lambda events: len(oracle.trades(events)),
    ),
    Question(
        "what was turned over, in quote units?",
        f"SELECT sum(price * qty) FROM md_trades WHERE {WHERE}",
        lambda frame: (frame("trades")["price"] * frame("trades")["qty"]).sum(),
        lambda events: sum_of(events, notional),
    ),
    Question(
        "what was the VWAP?",
        f"SELECT sum(price * qty) / sum(qty) FROM md_trades WHERE {WHERE}",
        lambda frame: (frame("trades")["price"] * frame("trades")["qty"]).sum() / frame("trades")["qty"].sum(),
        lambda events: sum_of(events, notional) / sum_of(events, lambda trade: float(trade.size)),
    ),
    Question(
        "which share of the volume did takers buy?",
        f"SELECT sumIf(qty, side = 'buy') / sum(qty) FROM md_trades WHERE {WHERE}",
        lambda frame: frame("trades").groupby("side")["qty"].sum()["buy"] / frame("trades")["qty"].sum(),
        lambda events: (
            sum_of(events, lambda trade: float(trade.size) * (trade.side == "buy"))
            / sum_of(events, lambda trade: float(trade.size))
        ),
    ),
    Question(
        "how large was the largest trade?",
        f"SELECT max(price * qty) FROM md_trades WHERE {WHERE}",
        lambda frame: (frame("trades")["price"] * frame("trades")["qty"]).max(),
        lambda events: max(map(notional, oracle.trades(events))),
    ),
    Question(
        "at which price did the second minute close?",
        "SELECT close FROM md_bars(seconds = 60) WHERE "
        + WHERE.replace("timestamp", "bar")
        + " ORDER BY bar LIMIT 1 OFFSET 1",
        lambda frame: close_of_minute(frame("trades")),
        close_by_oracle,
    ),
    Question(
        "what was the mid at a moment?",
        f"SELECT mid FROM md_top_of_book WHERE {WHERE} AND venue_time <= '{MOMENT:%F %T}'"
        " ORDER BY venue_time DESC, sequence DESC LIMIT 1",
        lambda frame: top_before(frame("top_of_book"))["mid"],
        lambda events: [top.mid for top in oracle.tops(events) if top.venue_ns <= moment_ns()][-1],
    ),
    Question(
        "how late did books arrive, at the median, in ms?",
        "SELECT quantileExactInclusive(0.5)("
        "(toUnixTimestamp64Nano(received_time) - toUnixTimestamp64Nano(venue_time)) / 1e6)"
        f" FROM md_top_of_book WHERE {WHERE}",
        lambda frame: (
            (frame("top_of_book")["received_time"] - frame("top_of_book")["venue_time"]).median()
            / timedelta(milliseconds=1)
        ),
        lambda events: float(
            pd.Series([(top.received_ns - top.venue_ns) / 1e6 for top in oracle.tops(events)]).median()
        ),
    ),
    Question(
        "how wide was the spread at most, in bps?",
        f"SELECT max(spread_bps) FROM md_top_of_book WHERE {WHERE}",
        lambda frame: frame("top_of_book")["spread_bps"].max(),
        lambda events: max(10_000 * (top.ask - top.bid) / top.mid for top in oracle.tops(events)),
    ),
    Question(
        "how often was more bid than offered at the touch?",
        f"SELECT countIf(imbalance > 0) / count() FROM md_top_of_book WHERE {WHERE}",
        lambda frame: (frame("top_of_book")["imbalance"] > 0).mean(),
        lambda events: sum(top.bid_size > top.ask_size for top in oracle.tops(events)) / len(oracle.tops(events)),
    ),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.text for question in QUESTIONS])
def test_a_question_has_one_answer(question: Question, recorded: dict[str, list[Event]], market: Settings) -> None:
    def frame(name: str) -> pd.DataFrame:
        return read.frame(name, venues=VENUE, symbols=SYMBOL, start=START, end=END, settings=market)

    answer = question.events(recorded[VENUE])
    assert float(read.sql(question.sql, market).iloc[0, 0]) == pytest.approx(answer, rel=1e-10)
    assert float(question.frames(frame)) == pytest.approx(answer, rel=1e-10)
