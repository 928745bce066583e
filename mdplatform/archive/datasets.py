"""What each dataset of the archive holds: its columns with their types, its order, and what counts as its time.

Where rows are events, their columns follow from its fields (``core/events``), and a new field is a column at the end.
Readers of old files rely on these: none is renamed or removed, and a changed type is a new SCHEMA_VERSION.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pyarrow as pa

from mdplatform.core.errors import ArchiveError
from mdplatform.core.event_kinds import EVENT_KINDS, Column, EventKind, Table

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
    weight: str  # the column that distinguishes rows in the checksum, see checksum.py
    checked: tuple[str, ...]  # the columns that go into the checksum, in this order
    sequence: str | None = "sequence"
    looked_up: tuple[str, ...] = ()  # columns by whose single values readers search: these get a bloom filter
    renamed: dict[str, str] = field(default_factory=lambda: {"received_time": "received_at"})  # column -> the table's
    not_stored: tuple[str, ...] = ()  # columns that the table has not
    stored_in_ns: dict[str, str] = field(default_factory=dict)  # further columns of the table -> the time they repeat
    row_group: int = 122_880  # rows of a row group
    rows: str = "archived_rows"  # the include of sql/includes that gives the table's rows of an hour

    @property
    def query(self) -> str:
        """Name of the statement that gives its rows, in order; stands in its files."""
        return f"export_{self.name}"

    @property
    def fingerprint(self) -> str:
        """Name of the statement with whose answer a file must agree."""
        return f"fingerprint_{self.name}"

    @property
    def stored_in(self) -> str:
        """The table that holds the rows which ``table`` shows."""
        return f"{self.table}_store"


def schema_sha256(schema: pa.Schema) -> str:
    """Of the columns' names and types, in their order."""
    return hashlib.sha256("".join(f"{field.name}: {type_name(field.type)}\n" for field in schema).encode()).hexdigest()


def type_name(kind: pa.DataType) -> str:
    """The type as readers see it: a dictionary only stores its values, and the name of a list's item has no meaning."""
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
_TIME_NAMES = ("venue_time", "received_time")
_ORIGIN = ("_topic", "_partition", "_offset")
_ROW_TIMES = ("timestamp", *_TIME_NAMES)


def _floats(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.float64()) for name in names]


_BEST = ("bid_price", "bid_size", "ask_price", "ask_size")
_MEASURES = (
    *("coverage", "spread", "spread_median", "spread_p95", "spread_p99"),
    *("spread_bps", "spread_bps_median", "spread_bps_p95", "spread_bps_p99"),
    *("mid_open", "mid_high", "mid_low", "mid_close", "imbalance"),
    *("bid_depth_10bps_base", "bid_depth_10bps_quote", "ask_depth_10bps_base", "ask_depth_10bps_quote"),
    *("realized_volatility", "order_flow_imbalance"),
)

TOP_OF_BOOK = Dataset(
    "top_of_book",
    pa.schema([*_KEY, ("sequence", pa.int64()), *_floats(*_BEST), *_TIMES, *_MESSAGE]),
    ("symbol", "timestamp", "sequence"),
    "md_top_of_book",
    "sequence",
    (*_BEST, *_ROW_TIMES),
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
    rows="archived_spreads",
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
    rows="archived_statuses",
)
_OWN = {dataset.name: dataset for dataset in (TOP_OF_BOOK, STATUSES)}

# The order of the columns of files that were written before columns followed from the events; raw sizes are empty, or
# null, where a venue quotes base units, and a price is null while its side is empty.
_FIRST = {
    "books": ("sequence", "previous_sequence", "b", "bv", "a", "av", *_TIME_NAMES, "raw_bv", "raw_av", *_ORIGIN),
    "quotes": ("sequence", *_BEST, *_TIME_NAMES, "raw_bid_size", "raw_ask_size", *_ORIGIN),
    "trades": ("id", "price", "qty", "side", "provenance", *_TIME_NAMES, "raw_size", *_ORIGIN),
    "liquidations": ("id", "price", "qty", "side", *_TIME_NAMES, "raw_size", *_ORIGIN),
    "funding": ("rate", "mark_price", "index_price", "next_funding_time", *_TIME_NAMES, *_ORIGIN),
}
# And what went into their checksums, in this order.
_CHECKED_FIRST = {
    "books": ("b", "bv", "a", "av", "raw_bv", "raw_av", "previous_sequence", *_ROW_TIMES),
    "quotes": (*_BEST, "raw_bid_size", "raw_ask_size", *_ROW_TIMES),
    "trades": ("price", "qty", "raw_size", "side", "provenance", *_ROW_TIMES),
    "liquidations": ("price", "qty", "raw_size", "side", *_ROW_TIMES),
    "funding": ("rate", "mark_price", "index_price", "next_funding_time", *_ROW_TIMES),
}
# Columns of the table that no message states, and that are in no checksum: older files lack them.
_OF_THE_TABLE = {"increments": ("provenance",)}
# A book is made of ten minutes of one symbol: small groups leave the others unread, and take no more bytes.
_ROW_GROUPS = {"increments": 15_360}
_TYPES = {"number": pa.float64(), "numbers": NUMBERS, "text": pa.string(), "integer": pa.int64()}


def _of_events(kind: EventKind, table: Table) -> Dataset:
    """The dataset of a kind whose rows are its events: a column a field, new ones after those that were first."""
    name = str(table.dataset)
    types = dict([*_KEY, *_TIMES, *_MESSAGE]) | {
        column: NANOSECONDS if column in _TIME_NAMES else MILLISECONDS if kind_ == "time" else _TYPES[kind_]
        for column, kind_ in map(_archived, kind.columns)
        if column not in ("exchange", "symbol")
    }
    of_the_table = _OF_THE_TABLE.get(name, ())
    types |= dict.fromkeys(of_the_table, pa.string())
    first = [column for column, _ in _KEY] + [*_FIRST.get(name, (*_TIME_NAMES, *_ORIGIN))]
    schema = pa.schema([(column, types[column]) for column in dict.fromkeys([*first, *types])])
    weight = next(column for column in ("id", "sequence", "venue_time") if column in types)
    unchecked = {"exchange", *_ORIGIN, *of_the_table, *(() if weight == "venue_time" else (weight,))}
    if name in _CHECKED_FIRST:
        unchecked.add("symbol")
    checked = dict.fromkeys([*_CHECKED_FIRST.get(name, _ROW_TIMES), *types])
    return Dataset(
        name,
        schema,
        # A snapshot of a book may have the sequence of an update, made by another collector.
        ("symbol", "timestamp", weight, *(("kind",) if "kind" in types else ())),
        table.name,
        weight,
        tuple(column for column in checked if column not in unchecked),
        sequence="sequence" if "sequence" in types else None,
        looked_up=("id",) if "id" in types else (),
        renamed={c: f"{c.removesuffix('_time')}_at" for c in types if c.endswith("_time") and c != "venue_time"},
        row_group=_ROW_GROUPS.get(name, Dataset.row_group),
    )


def _archived(column: Column) -> tuple[str, str]:
    return f"{column.name}_time" if column.kind == "time" else column.name, column.kind


DATASETS = {
    dataset.name: dataset
    for dataset in (
        *(
            _OWN.get(str(table.dataset)) or _of_events(kind, table)
            for kind in EVENT_KINDS
            for table in kind.tables
            if table.dataset is not None
        ),
        SPREADS,
    )
}
