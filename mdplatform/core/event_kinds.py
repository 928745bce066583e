"""The kinds of event, one row each: what it is called, how it travels, where it is stored and whether it is archived.

Derived from these rows: topics and their settings, the topics that are created, the streams' placeholders, the names of
events in a recording's output, dead-letter reasons of the signal engine, the external assets of Dagster, the tables of
the data dictionary, archive datasets with their exports and checksums, the hours that late rows reopen, and the views
of a cluster. A new kind is a row here, a struct (``events``), a table (``sql/migrations``) and a stream that fills it
(``sql/streams``); ``codec`` only where its messages are too many for the general encoder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from mdplatform.core import events

# "depth": more levels of the book, less often, beside a channel of kind "book" that brings its top.
ChannelKind = Literal["book", "depth", "trades", "liquidations", "funding", "bbo", "open_interest", "index"]


class Column(NamedTuple):
    """A field of an event on its way: ``name`` is that of messages and, but for times, of tables and archives."""

    field: str
    name: str  # of a time: without its unit, as in "venue" for venue_ns
    kind: Literal["number", "numbers", "text", "integer", "time"]


@dataclass(frozen=True)
class Table:
    """A table that a kind's messages fill. Readers see the view ``name``; its rows lie in ``<name>_store``."""

    name: str
    row: str  # what a row is, as a phrase
    dataset: str | None = None  # of the archive that holds its rows
    has_shadows: bool = False  # copies of the day's last rows on the day after, which the view hides
    is_steady: bool = False  # it fills whenever anything is collected; others may rightly be silent for a day
    # Its view and its hours are as of most tables: each row once, by its ``timestamp``. Others have SQL of their own.
    is_plain: bool = True


@dataclass(frozen=True)
class EventKind:
    """One kind of event. ``name`` is that of its topic, wherever topics are named."""

    name: str
    type: type[msgspec.Struct] | None  # None: these messages are made of no event
    topic: str  # default template; ``{exchange}`` may appear anywhere in it
    title: str  # what its messages are, for people, as a noun
    tables: tuple[Table, ...] = ()
    channels: tuple[ChannelKind, ...] = ()  # that bring it
    of_contracts: bool = False  # spot has none
    is_eventful: bool = False  # nothing is sent where nothing happens: silence says nothing
    is_urgent: bool = False  # people and signals look at its rows as they come: small blocks, stored early
    is_busy: bool = False  # thousands a second: several consumers may share its topics
    setting: str = ""  # variable of the topic's template
    stream: str = ""  # file of ``sql/streams``; the name where empty
    # Fields of the event that are called otherwise in messages, tables and archives.
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """Name of one event of the kind: "trade"."""
        if self.type is None:
            return self.name.removesuffix("s")
        return str(self.type.__struct_config__.tag)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Of each field of the event, in the event's order. Defined for kinds whose events are flat."""
        hints = {} if self.type is None else get_type_hints(self.type, include_extras=True)
        return tuple(_column(name, hint, self.renamed) for name, hint in hints.items())

    @property
    def variable(self) -> str:
        return self.setting or f"MDPLATFORM_TOPIC_{self.name.upper()}"

    @property
    def topic_meaning(self) -> str:
        """The help text of the setting that names the topic."""
        one_of_all = self.type is not None and "{exchange}" not in self.topic
        return f"topic for {self.title}{'; may contain {exchange}' if one_of_all else ''}"

    @property
    def stream_file(self) -> str:
        return f"streams/{self.stream or self.name}.sql"


def _column(name: str, hint: Any, renamed: dict[str, str]) -> Column:
    parts = (hint, *get_args(hint))
    if name.endswith("_ns"):
        return Column(name, name.removesuffix("_ns"), "time")
    if list[events.Number] in parts:
        return Column(name, renamed.get(name, name), "numbers")
    if events.Number in parts:
        return Column(name, renamed.get(name, name), "number")
    return Column(name, renamed.get(name, name), "integer" if int in parts else "text")


_BOOK_COLUMNS = {
    **{"bid_prices": "b", "bid_sizes": "bv", "ask_prices": "a", "ask_sizes": "av"},
    **{"raw_bid_sizes": "raw_bv", "raw_ask_sizes": "raw_av"},
}

EVENT_KINDS = (
    EventKind(
        "books",
        events.Book,
        "md.orderbook.normalized",
        "order books",
        (
            Table(
                "md_orderbook_depth",
                "the best levels of a book after each update",
                "books",
                has_shadows=True,
                is_steady=True,
            ),
            Table(
                "md_top_of_book",
                "the best level of each book, with what follows from it",
                "top_of_book",
                has_shadows=True,
                is_steady=True,
                is_plain=False,
            ),
        ),
        channels=("book", "depth"),
        is_urgent=True,
        is_busy=True,
        setting="KAFKA_TOPIC",
        renamed=_BOOK_COLUMNS,
    ),
    EventKind(
        "increments",
        events.BookChange,
        "md.orderbook.increments",
        "changes of order books",
        (
            Table(
                "md_book_increments",
                "what one update changed of a book, or a snapshot of all that is known of it",
                "increments",
                has_shadows=True,
            ),
        ),
        channels=("book", "depth"),
        is_busy=True,
        renamed=_BOOK_COLUMNS,
    ),
    EventKind(
        "quotes",
        events.Quote,
        "quotes.{exchange}",
        "best bids and asks",
        (
            Table(
                "md_quotes",
                "best bid and ask from channels that send just them, more often than books",
                "quotes",
                has_shadows=True,
            ),
        ),
        channels=("bbo",),
        is_urgent=True,
        is_busy=True,
    ),
    EventKind(
        "trades",
        events.Trade,
        "trades.{exchange}",
        "trades",
        (Table("md_trades", "each trade", "trades", is_steady=True),),
        channels=("trades",),
        is_eventful=True,
        is_urgent=True,
        is_busy=True,
        renamed={"size": "qty"},
    ),
    EventKind(
        "liquidations",
        events.Liquidation,
        "liquidations.{exchange}",
        "liquidations",
        (Table("md_liquidations", "each liquidation that a venue reports", "liquidations"),),
        channels=("liquidations",),
        of_contracts=True,
        is_eventful=True,
        renamed={"size": "qty"},
    ),
    EventKind(
        "funding",
        events.Funding,
        "funding.{exchange}",
        "funding and mark prices",
        (Table("md_funding", "funding rates, mark and index prices of perpetuals, as they change", "funding"),),
        channels=("funding",),
        of_contracts=True,
    ),
    EventKind(
        "open_interest",
        events.OpenInterest,
        "open_interest.{exchange}",
        "open interest",
        (
            Table(
                "md_open_interest", "open contracts of derivatives, as they change and once a minute", "open_interest"
            ),
        ),
        channels=("open_interest",),
        of_contracts=True,
    ),
    EventKind(
        "index",
        events.IndexPrice,
        "index.{exchange}",
        "prices of indices",
        (Table("md_index", "prices and volatilities of indices, as they change and once a minute", "index"),),
        channels=("index",),
    ),
    EventKind(
        "options",
        events.OptionSummary,
        "options.{exchange}",
        "summaries of options",
        (Table("md_option_summary", "prices, volatilities and greeks of options, as they change", "options"),),
        channels=("funding",),
        of_contracts=True,
    ),
    EventKind(
        "instruments",
        events.Listing,
        "md.instruments",
        "instrument lists",
        (Table("md_instruments", "what each venue lists, dated: one row a version of an instrument", is_plain=False),),
    ),
    EventKind(
        "status",
        events.FeedStatus,
        "md.feed.status",
        "feed status intervals",
        (
            Table(
                "md_feed_status",
                "intervals in which a feed was valid, or was not and why; one row an interval and collector",
                "statuses",
                is_steady=True,
                is_plain=False,
            ),
        ),
        stream="feed_status",
    ),
    EventKind(
        "stats",
        events.FeedStats,
        "md.feed.stats",
        "collector statistics",
        (
            Table(
                "md_feed_stats",
                "counters and latencies of each connection, one row a second",
                is_steady=True,
                is_plain=False,
            ),
        ),
        stream="feed_stats",
    ),
    EventKind(
        "dead_letters",
        events.DeadLetter,
        "md.dead_letter",
        "refused frames",
        (Table("md_dead_letter", "frames and messages that could not be understood, verbatim", is_plain=False),),
    ),
    EventKind("raw", events.RawFrame, "md.raw.{exchange}", "raw frames, when they are kept"),
    EventKind(
        "signals",
        None,
        "md.signals",
        "signals",
        (Table("md_signals", "what the signal engine found", is_plain=False),),
    ),
)

KINDS = {kind.name: kind for kind in EVENT_KINDS}
KIND_OF: dict[type, EventKind] = {kind.type: kind for kind in EVENT_KINDS if kind.type is not None}
TABLES = {table.name: table for kind in EVENT_KINDS for table in kind.tables}
STEADY = tuple(table.name for table in TABLES.values() if table.is_steady)
OF_CONTRACTS = frozenset(channel for kind in EVENT_KINDS if kind.of_contracts for channel in kind.channels)
STORED = tuple(kind for kind in EVENT_KINDS if kind.tables)  # raw frames are for tapes, not for tables
