"""The data dictionary: every table and column of a migrated database, with type, unit and meaning, as Markdown.

Meanings of columns are their comments in the database; what a table is for, and units, are said here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from mdplatform.core import event_kinds
from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse import queries

HEADER = """\
# Data dictionary

<!-- Generated from a migrated database. To write it again:
MDPLATFORM_WRITE_SCHEMA=1 pytest mdplatform_tests/warehouse/test_dictionary.py -->

Database `marketdata` holds the views of the first part: read those, they hold each row once. Times are UTC; `exchange`
is a venue id and `symbol` canonical (`BTC-USDT`, `BTC-USDT-PERP`, `BTC-USD-20261225`). *Base* and *quote* are the two
sides of a symbol: of `BTC-USDT` BTC is the base and USDT the quote. `mdplatform query "SELECT ..."` asks,
`mdplatform.read` gives frames.

Archives and `mdplatform.read` have these columns under these names, but for `inserted_at`, the integers `started_ns`
and `ended_ns`, names of before (`received_at`, `next_funding_at`, `started_at`, `ended_at`, `hour`) and, in archives,
what a view computes (`mid`, `spread`, `spread_bps`, `imbalance`). Their `sequence`, `_partition` and `_offset` are
signed.
"""
BEHIND = """\
# Behind the views

For whoever works on the platform: these are in database `marketdata_internal`, but for `md_orderbook_stream_kafka`,
which lies beside the views. `_store` tables hold the rows of the view of their name, `_staging` tables an hour while it
is built, `_stream` tables carry messages from Kafka to the stores and keep none. Reading from a Kafka table takes
messages away. `_retired`, `_costs` and `_corrections` are notes of retention, builds and operators. `md_replayed` holds
for a day what an hour's raw frames gave when they were replayed for the check `replay_equals_live`.
"""


class Parameterized(NamedTuple):
    """A view that is asked with parameters; ``table`` has most of its columns."""

    query: str
    row: str
    table: str
    meanings: Mapping[str, str]


# What a row of each view is: of those that events fill, and of those that are made of them.
TABLES = {table.name: f"{table.row[0].upper()}{table.row[1:]}." for table in event_kinds.TABLES.values()} | {
    "md_spread_hourly": "One row an hour and symbol: spread, mid, depth, imbalance, volatility, over proven time.",
    "md_top_of_book_minute": "Bars of the mid by the minute, with the mean spread, over proven time.",
    "md_trades_minute": "Bars of trades by the minute.",
    "md_trades_hours": "Hours with trades: when the last was stored, and when md_trades_minute was built of them.",
    "md_funding_paid": "One row a payment of funding: as archives have it, else as stated last before it was due.",
    "md_open_interest_all": "Open interest, collected or of public archives, each once.",
    "md_feed_proven": "When a feed was proven by any collector: overlapping valid intervals as one.",
    "md_feed_gaps": "Intervals of one collector that were not valid, and whether another one had them covered.",
    "md_messages": "Which Kafka message each row of books and trades came from; kept for two weeks.",
    "md_klines": "Bars from venues' public archives.",
    "md_agg_trades": "Aggregated trades from venues' public archives.",
    "md_book_depth_history": "Depth by distance from the price, from venues' public archives.",
    "md_open_interest_history": "Open interest and ratios of long to short, each five minutes, from public archives.",
    "md_funding_history": "One row a payment of funding, from venues' public archives.",
    "md_trades_archived": "What public archives say of trades, for 30 days: to compare it with what was collected.",
    "md_history_files": "Files of public archives that were loaded.",
}

# Views with parameters, which the database lists without columns: how they are asked, what a row is, and the meaning of
# columns that have another one than in the table named.
PARAMETERIZED = {
    "md_bars": Parameterized(
        "SELECT * FROM md_bars(seconds = 60)",
        "One row a bar and symbol that traded in it, of any length from a second to a day, right while the hour runs.",
        "md_trades_minute",
        {
            "bar": "begin of the bar, venue time",
            "coverage": "share of the bar for which its trades were proven as they came, 0 to 1",
        },
    ),
    "md_book_at": Parameterized(
        "SELECT * FROM md_book_at(exchange = 'binance', symbol = 'BTC-USDT', at = '2026-11-30 12:34:56', depth = 200)",
        "One row a level of the book as it was known at an instant, best first, from increments.",
        "md_book_increments",
        {
            "side": "bid or ask",
            "level": "1 is the best of its side",
            "price": "in quote units",
            "size": "in base units",
            "received_at": "first receipt of the last change in it",
            "snapshot_at": "receipt of the snapshot that it begins with",
            "updates": "changes since",
            "is_chained": "whether each of them follows one that is here",
        },
    ),
    "md_quotes_at": Parameterized(
        "SELECT * FROM md_quotes_at(symbol = 'BTC-USD%', at = '2026-11-30 12:34:56')",
        "One row a venue and symbol (a pattern as for LIKE): best bid and ask as they were known at an instant.",
        "md_quotes",
        {
            "channel": "book, or bbo where best prices are collected and were newer",
            "is_proven": "whether some collector proves the feed at that instant",
        },
    ),
    "md_best_across": Parameterized(
        "SELECT * FROM md_best_across(symbol = 'BTC-USDT', start = '2026-11-30 12:00:00', end = '2026-11-30 13:00:00', "
        "seconds = 1)",
        "One row a step: the best bid and the best ask of all venues that are proven then; at most 100,000 steps.",
        "md_quotes",
        {
            "at": "the instant, by receipt",
            "bid_exchange": "venue id of the best bid; empty while there is none",
            "bid_price": "the highest bid; NULL while there is none",
            "bid_size": "size at it, of the venue with the most, base units",
            "ask_exchange": "venue id of the best ask; empty while there is none",
            "ask_price": "the lowest ask; NULL while there is none",
            "ask_size": "size at it, of the venue with the most, base units",
            "spread": "ask - bid, quote units; below 0 where venues cross",
            "spread_bps": "spread / mid * 10000; below 0 where venues cross",
            "venues": "how many venues are proven at that instant",
        },
    ),
}

# Units of numbers by a pattern of the column's name; the first that fits. Counts and ids have none.
UNITS = (
    (r"ts|timestamp|.*_ms", "ms"),
    (r".*_ns", "ns"),
    (r".*_bps(_\w+)?", "bps"),
    (r"coverage|imbalance|(\w+_)?rate|\w+_iv", "fraction"),
    (r"\w+_ratio", "ratio"),
    (r"percentage", "%"),
    (r"realized_volatility", "per year"),
    (r"contract_size|multiplier", "base; quote where inverse"),
    (r"raw_\w+|step", "the venue's"),
    (r"delta", "dollars per dollar"),
    (r"gamma", "per dollar"),
    (r"vega|rho", "dollars per percentage point"),
    (r"theta", "dollars per day"),
    (r".*_quote|open_interest_value|(\w+_)?quote_volume|notional", "quote"),
    (r".*_base|[ab]v(_unpacked)?|qty|(\w+_)?size|(\w+_)?volume|(\w+_)?depth(_10bps)?", "base"),
    (r"order_flow_imbalance|open_interest", "base"),
    (r"(\w+_)?price|[ab](_unpacked)?|mid(_\w+)?|spread(_\w+)?|open|high|low|close|vwap|tick|strike", "quote"),
    (r"bytes", "bytes"),
    (r"seconds", "s"),
    (r"value|threshold", "see `unit`"),
)
RESOLUTION = {"3": "ms", "9": "ns"}
_INSIDE = re.compile(
    r"^(?:SimpleAggregateFunction\(\w+, |Nullable\(|LowCardinality\(|Array\(|Map\((?:LowCardinality\()?String\)?, )+"
)
_CARRIERS = ("Kafka", "Null")


@dataclass(frozen=True)
class Column:
    """One column, as people read of it."""

    table: str
    engine: str
    name: str
    type: str
    comment: str

    @property
    def unit(self) -> str:
        """Of times their resolution; empty for text, counts and ids."""
        kind = _INSIDE.sub("", self.type)
        if kind.startswith("DateTime"):
            return f"UTC, {RESOLUTION.get(kind.removeprefix('DateTime64(')[0], 's')}"
        if not kind.startswith(("Float", "Int", "UInt")):
            return ""
        return next((unit for pattern, unit in UNITS if re.fullmatch(pattern, self.name)), "")


def columns(client: Client) -> list[Column]:
    """Those of all tables and views, table by table; those of views with parameters last."""
    found = [Column(**row) for row in queries.run(client, "dictionary")]
    comments = {(column.table, column.name): column.comment for column in found}
    there = {row["name"] for row in queries.run(client, "tables")}
    for name, view in PARAMETERIZED.items():
        if name not in there:
            continue  # the database is not migrated, or to an earlier version
        for row in client.query(f"DESCRIBE TABLE ({view.query})").named_results():
            meaning = view.meanings.get(row["name"]) or comments.get((view.table, row["name"]), "")
            found.append(Column(name, "Parameterized", row["name"], row["type"], meaning))
    return found


def described(found: Sequence[Column]) -> str:
    """The dictionary as Markdown; raises WarehouseError for a view that nobody says anything about."""
    tables = {table: list(group) for table, group in groupby(found, lambda column: column.table)}
    views = [table for table, group in tables.items() if group[0].engine == "View"]
    if strange := sorted(set(views) ^ set(TABLES)):
        raise WarehouseError(f"the data dictionary and the database differ in {', '.join(strange)}")
    carried = [table for table, group in tables.items() if group[0].engine == "MaterializedView"]
    asked = [table for table in tables if table in PARAMETERIZED]
    behind = [table for table in sorted(tables) if table not in (*views, *carried, *asked)]
    rows = TABLES | {name: view.row for name, view in PARAMETERIZED.items()}
    contents = [f"| [{table}](#{table}) | {meaning} |" for table, meaning in rows.items()]
    parts = [HEADER, "| view | a row is |", "|---|---|", *contents, ""]
    parts += [_section(table, meaning, tables[table]) for table, meaning in TABLES.items()]
    for name, view in PARAMETERIZED.items():
        parts.append(_section(name, f"{view.row} `{view.query}`", tables[name]))
    parts.append(BEHIND)
    parts += [_section(table, _engine(tables[table]), tables[table]) for table in behind]
    return "\n".join([*parts, "## Materialized views\n", *(f"- `{table}`" for table in carried), ""])


def _engine(group: Sequence[Column]) -> str:
    engine = group[0].engine
    return f"Engine {engine}{', holds nothing' if engine in _CARRIERS else ''}."


def _section(table: str, meaning: str, group: Sequence[Column]) -> str:
    rows = [f"| `{c.name}` | `{c.type}` | {c.unit} | {c.comment.replace('|', '/')} |" for c in group]
    return "\n".join(
        [f"## {table}\n", f"{meaning}\n", "| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""]
    )
