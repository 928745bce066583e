"""What flows without Dagster: venues' feeds, topics and stream tables as external assets, and their lineage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from mdplatform.bus.admin import Admin
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.defs.asset_metadata import OWNERS, written_in
from mdplatform.venues import venue, venue_ids
from mdplatform.warehouse.render import placeholders

SQL_FILES = {"status": "feed_status", "stats": "feed_stats"}  # of sql/streams, where not named as the dataset
# Tables that fill whenever anything is collected; the others may be silent for a day and be right.
STEADY = ("md_orderbook_depth", "md_top_of_book", "md_trades", "md_feed_status", "md_feed_stats")
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=20), warn_window=timedelta(minutes=12))


@dataclass(frozen=True)
class Stream:
    """A dataset on its way: the Topics field that names its topic, and the table that keeps it."""

    dataset: str
    tables: tuple[str, ...]
    meaning: str


STREAMS = (
    Stream("books", ("md_orderbook_depth", "md_top_of_book"), "best levels of a book after each update"),
    Stream("quotes", ("md_quotes",), "best bid and ask, where a venue sends just them"),
    Stream("trades", ("md_trades",), "every trade"),
    Stream("liquidations", ("md_liquidations",), "liquidations"),
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


def specs() -> list[dg.AssetSpec]:
    """Lineage from venue to topic to table."""
    feeds = [_feed(venue_id) for venue_id in venue_ids()]
    upstream = [feed.key for feed in feeds]
    topics = [_topic(stream, [] if stream.dataset == "signals" else upstream) for stream in STREAMS]
    tables = [_table(stream, table) for stream in STREAMS for table in stream.tables]
    return [*feeds, *topics, *tables]


def _feed(venue_id: str) -> dg.AssetSpec:
    channels = [f"- `{c.name}` ({c.kind}): {c.proof}" for c in venue(venue_id).channels]
    return dg.AssetSpec(
        feed_key(venue_id),
        description="\n".join([f"The public WebSocket feed of {venue_id}.", "", *channels]),
        group_name="feeds",
        kinds={"websocket"},
        owners=OWNERS,
        metadata={"websocket": dg.MetadataValue.url(venue(venue_id).ws_url)},
    )


def _topic(stream: Stream, upstream: list[dg.AssetKey]) -> dg.AssetSpec:
    deps = [topic_key("books")] if stream.dataset == "signals" else upstream
    return dg.AssetSpec(
        topic_key(stream.dataset),
        deps=deps,
        description=f"Kafka: {stream.meaning}.",
        group_name="topics",
        kinds={"kafka"},
        owners=OWNERS,
        metadata={"template": getattr(Topics(), stream.dataset)},
    )


def _table(stream: Stream, table: str) -> dg.AssetSpec:
    deps = [table_key("md_orderbook_depth")] if table == "md_top_of_book" else [topic_key(stream.dataset)]
    return dg.AssetSpec(
        table_key(table),
        deps=deps,
        description=f"ClickHouse: {stream.meaning}.",
        group_name="tables",
        kinds={"clickhouse"},
        owners=OWNERS,
        freshness_policy=FRESHNESS if table in STEADY else None,
        metadata={
            "dagster/table_name": f"marketdata.{table}",
            **written_in("external/assets.py", f"streams/{SQL_FILES.get(stream.dataset, stream.dataset)}.sql"),
        },
    )
