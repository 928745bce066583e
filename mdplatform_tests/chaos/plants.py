"""The dirty day's script: what is planted at which venue, when, on which symbol, and what has to become of it.

A plant is one line of the simulator's fault script (`mdplatform.simulator.faults.script`) with the outcome beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

START_S = 120.0  # by then everything is valid for the first time
AFTER_S = 150.0  # how long a trouble may go on after its cause is over: trades are rare


@dataclass(frozen=True)
class Manner:
    """What of a venue the script must know: the simulator's names of its channels, and what can be proven there."""

    venue: str
    book: str
    trades: str
    has_sequence: bool = True  # a lost book frame shows
    has_trade_ids: bool = True  # a lost trade shows
    only_spot_ids: bool = False  # of spot alone
    sequence_is_connections: bool = False  # a frame that is lost costs every book of the connection
    has_checksum: bool = False
    is_limited: bool = False  # its first book is a part of the whole
    quotes: str | None = None  # our name of a channel of quotes that bear the book's numbers; taken beside the others
    has_rows: bool = True  # several trades may come in a frame
    refuses: bool = True  # what is not there is refused, not acknowledged
    data_acknowledges: bool = False  # a subscription's first message is its reply: in silence it has none


MANNERS = {
    one.venue: one
    for one in (
        Manner("binance", "depth", "trade", quotes="bookTicker", refuses=False, is_limited=True, has_rows=False),
        Manner(
            "binance-usdm", "depth", "aggTrade", quotes="bookTicker", refuses=False, is_limited=True, has_rows=False
        ),
        Manner(
            "binance-coinm", "depth", "aggTrade", quotes="bookTicker", refuses=False, is_limited=True, has_rows=False
        ),
        Manner("coinbase", "level2", "matches", sequence_is_connections=True, has_rows=False),
        Manner("deribit", "book", "trades"),
        Manner("bybit", "orderbook", "publicTrade", has_trade_ids=False),
        Manner("okx", "books", "trades", quotes="bbo-tbt"),
        Manner("bitget", "books", "publicTrade", quotes="books1", has_trade_ids=False),
        Manner("gate", "obu", "trades", quotes="book_ticker", only_spot_ids=True, has_rows=False),
        Manner("kucoin", "obu", "match", has_trade_ids=False, has_rows=False),
        Manner("kraken", "book", "trade", has_checksum=True),
        Manner("cryptocom", "book", "trade", has_trade_ids=False, data_acknowledges=True),
        Manner("hyperliquid", "l2Book", "trades", has_sequence=False, has_trade_ids=False),
    )
}

SILENCE = frozenset(("no_updates", "silent_channel"))
UNANSWERED = frozenset(("subscribe_timeout",))
BREAKS = frozenset(
    ("sequence_gap", "sequence_back", "snapshot_ahead", "crossed", "checksum", "sequence_reset", "no_snapshot")
)
BEYOND = frozenset(("beyond_snapshot",))
AGAIN = frozenset(("subscribing", "no_snapshot", "trade_id_gap"))
LOST = frozenset(("cut", "closed_by_venue", "refused", "unreachable", "silent", "half_open", "protocol_error"))
GONE = frozenset(("not_listed", "expired", "delisted"))
VENUE_SAYS = frozenset(("venue_error",))  # reasons of dead letters
REFUSED = frozenset(("refused", "subscription_refused", "not_listed"))


@dataclass(frozen=True)
class Plant:
    """``fault`` without venue and symbol; ``symbol``: canonical, or None for all of the venue.

    ``causes``: of the interval that shows it, on one of the kinds of ``feeds`` (none named: any). Where there are none,
    ``letters`` or ``empties`` show it, and where neither do, nothing may come of it but what ``follows``.
    """

    kind: str
    at_s: float
    fault: str
    symbol: str | None = None
    feeds: tuple[str, ...] = ()
    causes: frozenset[str] = frozenset()
    on_all: bool = False  # every symbol of the venue has such an interval
    letters: str | None = None  # what the frames of its dead letters hold
    is_shown: bool = True  # there has to be one
    empties: bool = False  # books without levels, or that it is not known what lies behind those that went
    follows: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()  # of dead letters that may follow
    spreads: bool = False  # what follows may concern other symbols as well
    lasts_s: float = 0.0
    quiet_until_s: float | None = None  # no connection may be tried before that

    def order(self, manner: Manner, name: str) -> str:
        """The line of the fault script; ``name``: the venue's of the symbol."""
        return f"at={self.at_s}s venue={manner.venue} {self.fault}" + (f" symbol={name}" if self.symbol else "")


@dataclass
class _Symbols:
    """Gives each plant a symbol of its own."""

    left: list[str] = field(default_factory=list)

    def next(self, is_spot: bool = False) -> str:
        wanted = (i for i, symbol in enumerate(self.left) if not is_spot or symbol.count("-") == 1)
        return self.left.pop(next(wanted))


@dataclass
class _Times:
    """The times of plants that follow each other."""

    at_s: float
    step_s: float

    def next(self) -> float:
        self.at_s += self.step_s
        return self.at_s - self.step_s


def whole_day(manner: Manner, symbols: Sequence[str], dated: Sequence[str]) -> Iterator[Plant]:
    """An hour from 07:30 UTC on the last Friday of a quarter: at 08:00 the dated contracts end."""
    own = _Symbols(list(symbols))
    yield from on_symbols(manner, own, _Times(250, 100))
    yield from of_lists(own, 200, 2300)
    for symbol in dated:
        follows = SILENCE | REFUSED | AGAIN | LOST
        yield Plant("expires", 1800, "", symbol, causes=GONE, follows=follows, reasons=VENUE_SAYS, lasts_s=1800)
    yield from on_connections(manner, own, _Times(1950, 300), "deny for=280")
    yield Plant("shrunk list", 3200, "shrink for=300", letters="", lasts_s=300)


def short_day(manner: Manner, symbols: Sequence[str], dated: Sequence[str]) -> Iterator[Plant]:
    """The same in some minutes, without what lasts."""
    own = _Symbols(list(symbols))
    yield from on_symbols(manner, own, _Times(130, 5))
    yield from on_connections(manner, own, _Times(300, 120), "deny")


def on_symbols(manner: Manner, own: _Symbols, times: _Times) -> Iterator[Plant]:
    """What concerns one symbol, each its own."""
    yield from on_books(manner, own, times)
    yield from on_trades(manner, own, times)


def on_books(manner: Manner, own: _Symbols, times: _Times) -> Iterator[Plant]:
    book, follows, of_books = manner.book, BREAKS | AGAIN, ("book", "depth")
    spreads = manner.sequence_is_connections  # where it is, what is silent has lost frames as well
    if manner.has_sequence:
        fault = f"drop channel={book} count=3"
        yield Plant(
            "lost book frames", times.next(), fault, own.next(), of_books, BREAKS, follows=follows, spreads=spreads
        )
    if manner.has_sequence and not spreads:  # or it begins again with the connection alone
        fault = f"reset channel={book}"
        symbol, at_s, reset = own.next(), times.next(), frozenset(("sequence_reset",))
        yield Plant("book begins again", at_s, fault, symbol, of_books, BREAKS, follows=follows)
        if manner.quotes is not None:
            yield Plant("quotes begin again", at_s, "", symbol, ("bbo",), reset)
    if manner.has_checksum:
        fault = f"checksum channel={book} count=2"
        yield Plant("wrong checksums", times.next(), fault, own.next(), of_books, BREAKS, follows=follows, lasts_s=60)
    if manner.is_limited:
        symbol = own.next()
        fault = f"jump 25% asset={symbol.partition('-')[0]}"
        yield Plant("beyond the snapshot", times.next(), fault, symbol, follows=follows | BEYOND)  # renewed in time
    fault, shown = f"silence channel={book} for=90", SILENCE | (BREAKS if spreads else SILENCE)
    yield Plant(
        "one falls silent",
        times.next(),
        fault,
        own.next(),
        of_books,
        shown,
        follows=follows,
        spreads=spreads,
        lasts_s=90,
    )
    yield Plant(
        "slow batches", times.next(), "slow n=45 for=200", own.next(), (), SILENCE, follows=SILENCE | AGAIN, lasts_s=200
    )
    yield Plant("doubled frames", times.next(), f"duplicate channel={book} count=5", own.next(), follows=BREAKS)
    yield Plant("late frames", times.next(), f"stall channel={book} for=4", own.next(), follows=BREAKS, lasts_s=4)
    yield Plant(
        "emptied book", times.next(), "empty for=15", own.next(), empties=True, follows=BEYOND | SILENCE, lasts_s=15
    )


def on_trades(manner: Manner, own: _Symbols, times: _Times) -> Iterator[Plant]:
    trades, whole = manner.trades, frozenset(("refused_frame",))
    follows = BREAKS | AGAIN | whole  # nobody knows to which symbol an unreadable frame belonged
    if manner.has_trade_ids:
        fault, cause = f"drop channel={trades} count=4", frozenset(("trade_id_gap",))
        symbol = own.next(manner.only_spot_ids)
        spreads = manner.sequence_is_connections
        after = follows if spreads else frozenset[str]()
        yield Plant(
            "lost trades",
            times.next(),
            fault,
            symbol,
            ("trades",),
            cause,
            follows=after,
            spreads=spreads,
            lasts_s=120,
        )
        fault, cause = f"reset channel={trades}", frozenset(("sequence_reset",))
        symbol = own.next(manner.only_spot_ids)
        yield Plant("trades begin again", times.next(), fault, symbol, ("trades",), cause, lasts_s=120)
    if manner.has_rows:
        fault = f"bad-row channel={trades} count=1"
        yield Plant("bad row", times.next(), fault, own.next(), letters="sense", follows=whole, lasts_s=60)
    else:
        fault = f"garbage kind=fields channel={trades} count=1"
        yield Plant("bad fields", times.next(), fault, own.next(), letters="l2update", follows=follows, lasts_s=60)
    fault = f"garbage channel={trades} count=1"
    yield Plant(
        "garbage", times.next(), fault, own.next(), letters="Bad Gateway", follows=follows, spreads=True, lasts_s=60
    )


def of_lists(own: _Symbols, at_s: float, late_s: float) -> Iterator[Plant]:
    """What concerns the venue's lists, which are read every few minutes."""
    for number, odd in enumerate(("null", "empty", "zero", "absent")):
        fault = f"odd-row odd={odd} for=900"
        is_ours = odd != "zero"  # a kind or a state of "0" may be one that nobody collects
        yield Plant(f"odd row: {odd}", at_s, fault, letters=f"ODD{number}", is_shown=is_ours, lasts_s=900)
    follows = SILENCE | AGAIN | LOST | REFUSED
    later_s = at_s + 300
    for kind, begins_s, fault, ends_s in (
        ("is listed later", 0.0, f"delist for={at_s}", at_s + 400),
        ("vanishes", late_s, "delist", 3600.0),  # a list that changes is a reason to ask again for what was refused
        ("vanishes, comes back", later_s, "delist for=600", later_s + 1000),
    ):
        yield Plant(
            kind,
            begins_s,
            fault,
            own.next(),
            causes=GONE,
            follows=follows,
            reasons=VENUE_SAYS,
            lasts_s=ends_s - begins_s,
        )


def on_connections(manner: Manner, own: _Symbols, times: _Times, deny: str) -> Iterator[Plant]:
    """What concerns every connection of the venue, one after the other."""
    after, step_s = AGAIN | BREAKS | LOST, times.step_s
    at_s = times.next()
    if manner.refuses:
        follows = after | SILENCE
        yield Plant(
            "refused",
            at_s - 1,
            deny,
            own.next(),
            causes=REFUSED,
            follows=follows,
            reasons=VENUE_SAYS,
            lasts_s=1800,
        )
    fault, silent = f"silence for={step_s - 20}", SILENCE | AGAIN
    if manner.data_acknowledges:
        silent |= UNANSWERED
    symbol, spreads = own.next(), manner.sequence_is_connections
    yield Plant(
        "acknowledged in silence",
        at_s - 1,
        fault,
        symbol,
        (),
        silent,
        follows=after,
        spreads=spreads,
        lasts_s=step_s,
    )
    yield Plant("cut", at_s, "cut", causes=frozenset(("cut",)), follows=after, on_all=True)
    at_s = times.next()
    fault = "maintenance for=40 retry=40"
    yield Plant("maintenance", at_s, fault, causes=LOST, follows=after, lasts_s=40, quiet_until_s=at_s + 40)
    dead = frozenset(("half_open", "silent"))
    yield Plant("half open", times.next(), "half-open", causes=dead, follows=after | SILENCE, on_all=True)
    at_s, unanswered = times.next(), frozenset(("subscribe_timeout", "closed_by_venue", "subscribing"))
    yield Plant("deaf", at_s, "deaf for=60", causes=unanswered, follows=after, lasts_s=60)
    yield Plant("cut while deaf", at_s, "cut", causes=frozenset(("cut",)), follows=after | unanswered, lasts_s=60)
