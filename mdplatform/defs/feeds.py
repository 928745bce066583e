"""Names of what is outside of Dagster: venues' feeds, topics, stream tables, and which is filled from which."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from mdplatform.bus.admin import Admin
from mdplatform.core.settings import Settings
from mdplatform.warehouse.render import placeholders


@dataclass(frozen=True)
class Stream:
    """A dataset on its way: the Topics field that names its topic, and the table that keeps it."""

    dataset: str
    tables: tuple[str, ...]
    meaning: str


STREAMS = (
    Stream("books", ("md_orderbook_depth", "md_top_of_book"), "best levels of a book after each update"),
    Stream("quotes", ("md_quotes",), "best bid and ask, where a venue sends just them"),
    Stream("trades", ("md_trades",), "every print"),
    Stream("liquidations", ("md_liquidations",), "forced orders"),
    Stream("funding", ("md_funding",), "funding and mark prices of perpetuals"),
    Stream("instruments", ("md_instruments",), "what each venue lists, dated"),
    Stream("status", ("md_feed_status",), "intervals in which a feed was proven valid, or why not"),
    Stream("stats", ("md_feed_stats",), "counters of each connection, one message a second"),
    Stream("dead_letters", ("md_dead_letter",), "frames that could not be understood, verbatim"),
    Stream("signals", ("md_signals",), "what the signal engine found"),
)


def feed_key(venue: str) -> dg.AssetKey:
    return dg.AssetKey(["feed", venue.replace("-", "_")])


def topic_key(dataset: str) -> dg.AssetKey:
    return dg.AssetKey(["topic", dataset])


def table_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["marketdata", table])


def table_groups(admin: Admin, settings: Settings) -> list[str]:
    """The consumer groups that the warehouse's tables read with; raises BusError."""
    prefix = placeholders(settings)["group"]
    return [group for group in admin.groups() if group == prefix or group.startswith(f"{prefix}.")]
