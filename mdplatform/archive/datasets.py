"""What each dataset of the archive holds: its columns with their types, its order, and what counts as its time.

Readers of old files rely on these: a new column goes at the end, none is renamed or removed, and a changed type is a
new SCHEMA_VERSION.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pyarrow as pa

from mdplatform.core.errors import ArchiveError

MILLISECONDS = pa.timestamp("ms", "UTC")
NANOSECONDS = pa.timestamp("ns", "UTC")
NUMBERS = pa.list_(pa.float64())
# pandas reads the directory exchange=E as a category; any other type in the file and it refuses the whole tree.
EXCHANGE = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Dataset:
    """Rows come strictly sorted by ``sorted_by``; the column ``timestamp`` says to which hour a row belongs."""

    name: str
    schema: pa.Schema
    sorted_by: tuple[str, ...]
    table: str  # in the warehouse, for readers
    weight: str  # the column that tells rows apart in the checksum, see checksum.py
    checked: tuple[str, ...]  # the columns that go into the checksum, in this order
    sequence: str | None = "sequence"
    looked_up: tuple[str, ...] = ()  # columns by whose single values readers search: these get a bloom filter
    renamed: dict[str, str] = field(default_factory=lambda: {"received_time": "received_at"})  # column -> the table's
    not_stored: tuple[str, ...] = ()  # columns that the table has not
    stored_in_ns: dict[str, str] = field(default_factory=dict)  # further columns of the table -> the time they repeat

    @property
    def query(self) -> str:
        """Gives its rows, in order."""
        return f"export_{self.name}"

    @property
    def fingerprint(self) -> str:
        """The query whose answer a file must agree with."""
        return f"fingerprint_{self.name}"

    @property
    def stored_in(self) -> str:
        """The table that holds the rows which ``table`` shows."""
        return f"{self.table}_store"


def schema_sha256(schema: pa.Schema) -> str:
    """Of the columns' names and types, in their order."""
    return hashlib.sha256("".join(f"{field.name}: {type_name(field.type)}\n" for field in schema).encode()).hexdigest()


def type_name(kind: pa.DataType) -> str:
    """As readers think of it: a dictionary is a way to store its values, and the name of a list's item says nothing."""
    if pa.types.is_list(kind):
        return f"list<{kind.value_type}>"
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)


def dataset_of(name: str) -> Dataset:
    """The dataset with this name; raises ArchiveError."""
    try:
        return DATASETS[name]
    except KeyError:
        raise ArchiveError(f"the archive has no dataset {name!r}; it has {', '.join(DATASETS)}") from None


_KEY = [("exchange", EXCHANGE), ("symbol", pa.string()), ("timestamp", MILLISECONDS)]
_TIMES = [("venue_time", NANOSECONDS), ("received_time", NANOSECONDS)]
# The message that a row came from; null where that is not certain.
_MESSAGE = [("_topic", pa.string()), ("_partition", pa.int32()), ("_offset", pa.int64())]
_ROW_TIMES = ("timestamp", "venue_time", "received_time")


def _floats(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.float64()) for name in names]


_BEST = ("bid_price", "bid_size", "ask_price", "ask_size")
_RAW_BEST = ("raw_bid_size", "raw_ask_size")
_NEAR = ("bid_depth_10bps", "ask_depth_10bps")
_MEASURES = (
    *("coverage", "spread", "spread_median", "spread_p95", "spread_p99"),
    *("spread_bps", "spread_bps_median", "spread_bps_p95", "spread_bps_p99"),
    *("mid_open", "mid_high", "mid_low", "mid_close", "imbalance"),
    *("bid_depth_10bps_base", "bid_depth_10bps_quote", "ask_depth_10bps_base", "ask_depth_10bps_quote"),
    *("realized_volatility", "order_flow_imbalance"),
)

BOOKS = Dataset(
    "books",
    pa.schema(
        [
            *_KEY,
            ("sequence", pa.int64()),
            ("previous_sequence", pa.int64()),  # null where the chain of updates starts
            *((name, NUMBERS) for name in ("b", "bv", "a", "av")),
            *_TIMES,
            *((name, NUMBERS) for name in ("raw_bv", "raw_av")),  # empty where the venue quotes base units
            *_MESSAGE,
            *_floats(*_NEAR),  # null where the known book ends sooner
        ]
    ),
    ("symbol", "timestamp", "sequence"),
    "md_orderbook_depth",
    "sequence",
    ("b", "bv", "a", "av", "raw_bv", "raw_av", "previous_sequence", *_ROW_TIMES, *_NEAR),
)
TOP_OF_BOOK = Dataset(
    "top_of_book",
    pa.schema([*_KEY, ("sequence", pa.int64()), *_floats(*_BEST), *_TIMES, *_MESSAGE]),
    ("symbol", "timestamp", "sequence"),
    "md_top_of_book",
    "sequence",
    (*_BEST, *_ROW_TIMES),
)
QUOTES = Dataset(
    "quotes",
    # A null price: that side is empty.
    pa.schema([*_KEY, ("sequence", pa.int64()), *_floats(*_BEST), *_TIMES, *_floats(*_RAW_BEST), *_MESSAGE]),
    ("symbol", "timestamp", "sequence"),
    "md_quotes",
    "sequence",
    (*_BEST, *_RAW_BEST, *_ROW_TIMES),
)
TRADES = Dataset(
    "trades",
    pa.schema(
        [
            *_KEY,
            ("id", pa.string()),
            *_floats("price", "qty"),
            ("side", pa.string()),  # taker side
            ("provenance", pa.string()),
            *_TIMES,
            ("raw_size", pa.float64()),  # null where the venue quotes base units
            *_MESSAGE,
            ("first_id", pa.string()),  # of the matches that it stands for; null where it stands for itself
            ("count", pa.int64()),
        ]
    ),
    ("symbol", "timestamp", "id"),
    "md_trades",
    "id",
    ("price", "qty", "raw_size", "side", "provenance", *_ROW_TIMES, "first_id", "count"),
    sequence=None,
    looked_up=("id",),
)
LIQUIDATIONS = Dataset(
    "liquidations",
    pa.schema(
        [
            *_KEY,
            ("id", pa.string()),
            *_floats("price", "qty"),
            ("side", pa.string()),  # of the liquidation order: sell closed a long
            *_TIMES,
            ("raw_size", pa.float64()),
            *_MESSAGE,
        ]
    ),
    ("symbol", "timestamp", "id"),
    "md_liquidations",
    "id",
    ("price", "qty", "raw_size", "side", *_ROW_TIMES),
    sequence=None,
    looked_up=("id",),
)
FUNDING = Dataset(
    "funding",
    pa.schema(
        [
            *_KEY,
            *_floats("rate", "mark_price", "index_price"),
            ("next_funding_time", MILLISECONDS),
            *_TIMES,
            *_MESSAGE,
        ]
    ),
    ("symbol", "timestamp", "venue_time"),
    "md_funding",
    "venue_time",
    ("rate", "mark_price", "index_price", "next_funding_time", *_ROW_TIMES),
    sequence=None,
    renamed={"received_time": "received_at", "next_funding_time": "next_funding_at"},
)
SPREADS = Dataset(
    "spreads",
    pa.schema([*_KEY, ("updates", pa.int64()), *_floats(*_MEASURES)]),
    ("symbol", "timestamp"),
    "md_spread_hourly",
    "symbol",
    ("updates", *_MEASURES, "timestamp"),
    sequence=None,
    renamed={"timestamp": "hour"},
)
# An interval is in each hour that it touches, cut at the hour's end; what is stated only later is null in a cut one.
STATUSES = Dataset(
    "statuses",
    pa.schema(
        [
            *_KEY,  # timestamp: the first instant of the interval within the hour
            *((name, pa.string()) for name in ("channel", "state", "collector", "cause")),
            ("started_time", NANOSECONDS),
            ("ended_time", NANOSECONDS),  # null where only the begin is known
            *((name, pa.int64()) for name in ("first_sequence", "last_sequence", "missed")),
            *_MESSAGE,
        ]
    ),
    ("symbol", "timestamp", "channel", "started_time", "state", "collector"),
    "md_feed_status",
    "started_time",
    (
        *("symbol", "channel", "state", "collector", "cause", "timestamp", "ended_time"),
        *("first_sequence", "last_sequence", "missed"),
    ),
    sequence=None,
    renamed={"started_time": "started_at", "ended_time": "ended_at"},
    not_stored=("timestamp",),
    stored_in_ns={"started_ns": "started_time", "ended_ns": "ended_time"},
)
DATASETS = {d.name: d for d in (BOOKS, TOP_OF_BOOK, QUOTES, TRADES, LIQUIDATIONS, FUNDING, SPREADS, STATUSES)}
