"""Claim: ten questions of an analyst are answered rightly, as SQL and as `mdplatform.read`; and in which time.

    python -m benchmarks.questions [--asked 20]

Starts an embedded ClickHouse node on a temporary directory, fills it with an invented hour of two venues (five books
and two trades a second each, with gaps that are stated), asks each question `asked` times in both ways, and compares
both answers with what plain Python makes of the same rows. States the median of the elapsed time, answers decoded.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from clickhouse_connect.driver.client import Client

from benchmarks.table import Cell, Table
from mdplatform import read
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse.analysis import analysis
from mdplatform.warehouse.client import connect, connect_reader
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.rollups import build_spread_hourly, build_trades_minute

HOUR = datetime(2026, 11, 21, 10, tzinfo=UTC)
END = HOUR + timedelta(hours=1)
AT = HOUR + timedelta(minutes=34, seconds=12)
VENUES, SYMBOL = ("binance", "okx"), "BTC-USDT"
BOOKS_A_SECOND, TRADES_A_SECOND, SECONDS = 5, 2, 3600
LAG = timedelta(milliseconds=40)
GAPS = {"binance": [(1200, 1290)], "okx": [(2000, 2100), (3000, 3030)]}  # seconds of the hour
TIMES, LOG = ["timestamp", "venue_time", "received_at"], ["_topic", "_partition", "_offset"]
STATUS = ["exchange", "symbol", "channel", "state", "cause", "started_at", "ended_at", "started_ns", "ended_ns"]
Answer = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Top:
    """The best level of a book; ``at``: seconds into the hour, venue time."""

    at: float
    bid: float
    bid_size: float
    ask: float
    ask_size: float

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2

    @property
    def bps(self) -> float:
        return 10_000 * (self.ask - self.bid) / self.mid


@dataclass(frozen=True)
class Traded:
    at: float
    number: int
    price: float
    qty: float
    side: str


@dataclass
class Market:
    """The invented hour by venue, and the rates of funding that were stated."""

    tops: dict[str, list[Top]] = field(default_factory=dict)
    trades: dict[str, list[Traded]] = field(default_factory=dict)
    rates: list[tuple[float, float]] = field(default_factory=list)  # seconds, rate


@dataclass(frozen=True)
class Question:
    """``sql``: a statement, or the name of one of sql/analysis and the columns of it that are compared."""

    name: str
    sql: str | tuple[str, str]
    read: Callable[[Settings], Answer]
    oracle: Callable[[Market], Answer]


def market() -> Market:
    """The same one each time."""
    chance, made = random.Random(11), Market()
    for venue in VENUES:
        price, tops, trades = 60_000.0, [], []
        for number in range(SECONDS * BOOKS_A_SECOND):
            price += chance.choice((-0.1, 0.0, 0.1))
            bid, width = round(price, 1), chance.choice((0.1, 0.2, 0.5))
            sizes = (chance.randint(1, 900) / 1000, chance.randint(1, 900) / 1000)
            tops.append(Top(number / BOOKS_A_SECOND, bid, sizes[0], round(bid + width, 1), sizes[1]))
        for number in range(SECONDS * TRADES_A_SECOND):
            top = tops[number * BOOKS_A_SECOND // TRADES_A_SECOND]
            side = chance.choice(("buy", "sell"))
            traded = Traded(number / TRADES_A_SECOND, number + 1, top.ask if side == "buy" else top.bid, 0, side)
            trades.append(Traded(traded.at, traded.number, traded.price, chance.randint(1, 500) / 1000, side))
        made.tops[venue], made.trades[venue] = tops, trades
    made.rates = [(float(second), round(chance.uniform(-1, 1) / 10_000, 8)) for second in range(0, SECONDS, 60)]
    return made


def at(seconds: float) -> datetime:
    return HOUR + timedelta(microseconds=round(seconds * 1e6))


def fill(client: Client, made: Market) -> None:
    """As the streams would store it; then what the hour's build makes of it."""
    log = ["t", 0, 0]
    for venue in VENUES:
        rows = [
            [venue, SYMBOL, number, top.bid, top.bid_size, top.ask, top.ask_size, *_times(top.at), *log]
            for number, top in enumerate(made.tops[venue], 1)
        ]
        names = ["exchange", "symbol", "sequence", "bid_price", "bid_size", "ask_price", "ask_size"]
        client.insert("md_top_of_book_store", rows, [*names, *TIMES, *LOG])
        levels = [[*row[:3], *([value] for value in row[3:7]), *row[7:]] for row in rows]
        names = ["exchange", "symbol", "sequence", "b", "bv", "a", "av"]
        client.insert("md_orderbook_depth_store", levels, [*names, *TIMES, *LOG])
        rows = [
            [venue, SYMBOL, str(each.number), each.price, each.qty, each.side, "live", *_times(each.at), *log]
            for each in made.trades[venue]
        ]
        names = ["exchange", "symbol", "id", "price", "qty", "side", "provenance"]
        client.insert("md_trades_store", rows, [*names, *TIMES, *LOG])
        for channel in ("book", "trades"):
            client.insert("md_feed_status_store", [[venue, SYMBOL, channel, *row] for row in _statuses(venue)], STATUS)
    due = HOUR + timedelta(minutes=55)
    funded = [["okx", f"{SYMBOL}-PERP", rate, due, *_times(second), *log] for second, rate in made.rates]
    client.insert("md_funding_store", funded, ["exchange", "symbol", "rate", "next_funding_at", *TIMES, *LOG])
    build_spread_hourly(client, HOUR)
    build_trades_minute(client, HOUR)


def _times(seconds: float) -> list[datetime]:
    return [at(seconds), at(seconds), at(seconds) + LAG]


def _statuses(venue: str) -> Iterable[list[Any]]:
    """From the receipt of the hour's first message to its end."""
    edges = [-1.0, *(float(edge) for gap in GAPS[venue] for edge in gap), SECONDS + 1.0]
    for number, (begin, end) in enumerate(itertools.pairwise(edges)):
        state = "gap" if number % 2 else "valid"
        first, last = at(begin) + LAG, at(end) + LAG
        yield [state, "test", first, last, *(int(each.timestamp() * 1000) * 10**6 for each in (first, last))]


def proven(venue: str, begin: float, end: float) -> float:
    """Seconds of [begin, end), venue time, that are proven."""
    return end - begin - sum(max(0.0, min(end, last) - max(begin, first)) for first, last in GAPS[venue])


def tops_in(made: Market, venue: str) -> Iterable[tuple[Top, float]]:
    """Each with the seconds for which it was in force and proven: a break ends it, and the next one begins again."""
    found = made.tops[venue]
    for number, top in enumerate(found):
        end = found[number + 1].at if number + 1 < len(found) else float(SECONDS)
        broken = any(first <= top.at < last for first, last in GAPS[venue])
        stop = min([first for first, _ in GAPS[venue] if first > top.at], default=end)
        yield top, 0.0 if broken else min(end, stop) - top.at


def known_at(made: Market, venue: str, seconds: float) -> Top | None:
    """The newest by receipt, if it is proven then."""
    heard = seconds - LAG.total_seconds()
    if any(first <= heard < last for first, last in GAPS[venue]):
        return None
    place = math.floor(heard * BOOKS_A_SECOND + 1e-9)
    return made.tops[venue][min(place, len(made.tops[venue]) - 1)] if heard >= 0 else None


# The oracle of each question: plain Python over the rows that were invented.


def last_prices(made: Market) -> Answer:
    return [(venue, made.trades[venue][-1].price) for venue in VENUES]


def volumes(made: Market) -> Answer:
    return [
        (
            venue,
            sum(each.qty for each in found),
            sum(each.price * each.qty for each in found) / sum(e.qty for e in found),
        )
        for venue, found in sorted(made.trades.items())
    ]


def bars(made: Market) -> Answer:
    minutes: dict[int, list[Traded]] = defaultdict(list)
    for each in made.trades["binance"]:
        minutes[int(each.at // 60)].append(each)
    return [
        (
            at(60.0 * minute),
            f[0].price,
            max(e.price for e in f),
            min(e.price for e in f),
            f[-1].price,
            sum(e.qty for e in f),
        )
        for minute, f in sorted(minutes.items())
    ]


def spreads(made: Market) -> Answer:
    rows = []
    for venue in VENUES:
        held = list(tops_in(made, venue))
        rows.append((venue, sum(top.bps * seconds for top, seconds in held) / sum(seconds for _, seconds in held)))
    return rows


def hourly(made: Market) -> Answer:
    return [(venue, bps, proven(venue, 0, SECONDS) / SECONDS) for venue, bps in spreads(made)]


def quotes(made: Market) -> Answer:
    seconds = (AT - HOUR).total_seconds()
    found = []
    for venue in VENUES:
        place = math.floor((seconds - LAG.total_seconds()) * BOOKS_A_SECOND + 1e-9)
        top = made.tops[venue][place]
        found.append((venue, top.bid, top.ask, known_at(made, venue, seconds) is not None))
    return found


def across(made: Market) -> Answer:
    rows: Answer = []
    for second in range(1, SECONDS, 10):
        there = [top for venue in VENUES if (top := known_at(made, venue, second))]
        if there:
            rows.append((at(second), max(top.bid for top in there), min(top.ask for top in there), len(there)))
    return rows


def flow(made: Market) -> Answer:
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for each in made.trades["okx"]:
        sums[int(each.at // 300)][each.side == "sell"] += each.qty
    return [(at(300.0 * number), (buy - sell) / (buy + sell)) for number, (buy, sell) in sorted(sums.items())]


def funding(made: Market) -> Answer:
    return [(HOUR + timedelta(minutes=55), [rate for second, rate in made.rates if second < 55 * 60][-1])]


def coverages(made: Market) -> Answer:
    return [(venue, round(proven(venue, 0, SECONDS) / SECONDS, 6)) for venue in VENUES]


WHERE: dict[str, Any] = {"start": HOUR, "end": END, "symbols": SYMBOL}


def _rows(frame: Any, *names: str) -> Answer:
    return [tuple(row) for row in frame[list(names)].itertuples(index=False)]


def _last_prices(settings: Settings) -> Answer:
    trades = read.frame("trades", **WHERE, settings=settings).sort_values("venue_time")
    return list(trades.groupby("exchange", observed=True)["price"].last().items())


def _volumes(settings: Settings) -> Answer:
    trades = read.frame("trades", **WHERE, settings=settings)
    sums = trades.assign(paid=trades.price * trades.qty).groupby("exchange", observed=True)[["qty", "paid"]].sum()
    return [(venue, row.qty, row.paid / row.qty) for venue, row in sums.iterrows()]


def _bars(settings: Settings) -> Answer:
    found = read.query("ohlcv", settings, symbol=SYMBOL, start=HOUR, end=END)
    return _rows(found, "bar", "open", "high", "low", "close", "volume")


def _spreads(settings: Settings) -> Answer:
    found = read.query("spread_by_venue", settings, symbol=SYMBOL, start=HOUR, end=END)
    return _rows(found, "exchange", "spread_bps")


def _hourly(settings: Settings) -> Answer:
    return _rows(read.frame("spreads", **WHERE, settings=settings), "exchange", "spread_bps", "coverage")


def _quotes(settings: Settings) -> Answer:
    found = read.query("quotes_at", settings, symbol=SYMBOL, end=AT)
    return _rows(found, "exchange", "bid_price", "ask_price", "is_proven")


def _across(settings: Settings) -> Answer:
    found = read.query("best_across", settings, symbol=SYMBOL, seconds=10, start=at(1), end=END)
    return _rows(found, "at", "bid_price", "ask_price", "venues")


def _flow(settings: Settings) -> Answer:
    trades = read.frame("trades", venues="okx", **WHERE, settings=settings)
    signed = trades.qty.where(trades.side == "buy", -trades.qty)
    sums = trades.assign(signed=signed).resample("5min", on="timestamp")[["signed", "qty"]].sum()
    return list((sums.signed / sums.qty).items())


def _funding(settings: Settings) -> Answer:
    stated = read.frame("funding", start=HOUR, end=END, symbols=f"{SYMBOL}-PERP", settings=settings)
    before = stated[stated.venue_time < stated.next_funding_time].sort_values("venue_time")
    return list(before.groupby("next_funding_time")["rate"].last().items())


def _coverages(settings: Settings) -> Answer:
    found = read.coverage(**WHERE, datasets="books", settings=settings)
    return [(cell.exchange, cell.proven) for cell in sorted(found.cells, key=lambda cell: cell.exchange)]


QUESTIONS = (
    Question(
        "last price of each venue",
        "SELECT exchange, argMax(price, venue_time) FROM md_trades"
        " WHERE symbol = 'BTC-USDT' AND timestamp >= '2026-11-21 10:00:00' GROUP BY exchange ORDER BY exchange",
        _last_prices,
        last_prices,
    ),
    Question(
        "volume and VWAP of the hour",
        "SELECT exchange, sum(qty), sum(price * qty) / sum(qty) FROM md_trades"
        " WHERE symbol = 'BTC-USDT' AND timestamp >= '2026-11-21 10:00:00' GROUP BY exchange ORDER BY exchange",
        _volumes,
        volumes,
    ),
    Question(
        "bars of a minute",
        "SELECT bar, open, high, low, close, volume FROM md_bars(seconds = 60)"
        " WHERE exchange = 'binance' AND symbol = 'BTC-USDT' AND bar >= '2026-11-21 10:00:00' ORDER BY bar",
        _bars,
        bars,
    ),
    Question("spread by venue, by proven time", ("spread_by_venue", "exchange, spread_bps"), _spreads, spreads),
    Question(
        "the same, as the hour was built",
        "SELECT exchange, spread_bps, coverage FROM md_spread_hourly"
        " WHERE symbol = 'BTC-USDT' AND hour = '2026-11-21 10:00:00' ORDER BY exchange",
        _hourly,
        hourly,
    ),
    Question(
        "quotes as of a time",
        "SELECT exchange, bid_price, ask_price, is_proven"
        " FROM md_quotes_at(symbol = 'BTC-USDT', at = '2026-11-21 10:34:12')",
        _quotes,
        quotes,
    ),
    Question(
        "best bid and ask of all venues",
        "SELECT at, bid_price, ask_price, venues FROM md_best_across(symbol = 'BTC-USDT',"
        " start = '2026-11-21 10:00:01', end = '2026-11-21 11:00:00', seconds = 10)",
        _across,
        across,
    ),
    Question(
        "order flow each five minutes",
        "SELECT toStartOfInterval(timestamp, INTERVAL 5 MINUTE) AS at,"
        " (sumIf(qty, side = 'buy') - sumIf(qty, side = 'sell')) / sum(qty) AS flow FROM md_trades"
        " WHERE exchange = 'okx' AND symbol = 'BTC-USDT' AND timestamp >= '2026-11-21 10:00:00'"
        " GROUP BY at ORDER BY at",
        _flow,
        flow,
    ),
    Question("funding paid", "SELECT paid_at, rate FROM md_funding_paid ORDER BY paid_at", _funding, funding),
    Question("share of the hour that is proven", ("coverage", "exchange, proven"), _coverages, coverages),
)


def measure(runs: int, asked: int = 20) -> Table:
    """``runs`` times ``asked`` times each question in both ways."""
    made = market()
    with tempfile.TemporaryDirectory() as folder, start(Path(folder), reader_password="reader") as node:
        settings = Settings(clickhouse_url=node.url, clickhouse_reader_url=node.reader_url)
        migrate(settings, streams=False)
        with connect(settings) as client:
            fill(client, made)
        with connect_reader(settings, settings.clickhouse_database) as client:
            rows = [_row(question, client, settings, made, runs * asked) for question in QUESTIONS]
    return Table(
        "questions",
        "ten questions of an analyst: whether each is answered rightly, and in which time",
        ["question", "rows", "SQL ms p50", "read ms p50", "SQL is right", "read is right"],
        rows,
        [
            f"An hour of {len(VENUES)} venues: {BOOKS_A_SECOND} books and {TRADES_A_SECOND} trades a second each. "
            "Right: as plain Python has it from the same rows, to 1e-9. `read` connects for each question."
        ],
    )


def _row(question: Question, client: Client, settings: Settings, made: Market, times: int) -> list[Cell]:
    expected = question.oracle(made)
    by_sql, sql_ms = _timed(lambda: _asked(question.sql, client), times)
    by_read, read_ms = _timed(lambda: question.read(settings), times)
    return [question.name, len(expected), sql_ms, read_ms, _equal(by_sql, expected), _equal(by_read, expected)]


def _asked(asked: str | tuple[str, str], client: Client) -> Answer:
    if isinstance(asked, str):
        return [tuple(row) for row in client.query(asked, tz_mode="aware").result_rows]
    named, columns = analysis(asked[0]), asked[1]
    given = {"symbol": SYMBOL, "start": HOUR, "end": END, "channel": "book"}
    bound = named.bound({name: value for name, value in given.items() if name in named.parameters}, END)
    sql = f"SELECT {columns} FROM ({named.sql})"  # noqa: S608 - both are of this project
    rows = client.query(sql, parameters=bound, tz_mode="aware").result_rows
    return [tuple(row) for row in rows]


def _timed(ask: Callable[[], Answer], times: int) -> tuple[Answer, float]:
    """The answer, and the median of the milliseconds that it took."""
    elapsed, found = [], ask()
    for _ in range(times):
        began = time.perf_counter()
        found = ask()
        elapsed.append((time.perf_counter() - began) * 1e3)
    return found, median(elapsed)


def _equal(found: Answer, expected: Answer) -> str:
    same = len(found) == len(expected) and all(
        len(row) == len(other) and all(map(_alike, row, other)) for row, other in zip(found, expected, strict=True)
    )
    return "yes" if same else "NO"


def _alike(one: Any, other: Any) -> bool:
    is_number = isinstance(other, float) and one is not None
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) if is_number else bool(one == other)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.questions", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--asked", type=int, default=20, help="times that each question is asked in each way")
    print(measure(1, parser.parse_args().asked).text())


if __name__ == "__main__":
    main()
