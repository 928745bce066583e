"""What each dataset of the archive holds: its columns with their types, its order, and what counts as its time.

Readers of old files rely on these: a new column goes at the end, none is renamed or removed, and a changed type is a
new SCHEMA_VERSION.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from mdplatform.errors import ArchiveError

MILLISECONDS = pa.timestamp("ms", "UTC")
NANOSECONDS = pa.timestamp("ns", "UTC")
NUMBERS = pa.list_(pa.float64())
# pandas reads the directory exchange=E as a category; any other type in the file and it refuses the whole tree.
EXCHANGE = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Dataset:
    """Rows come strictly sorted by ``sorted_by``; ``time`` says to which hour a row belongs."""

    name: str
    schema: pa.Schema
    sorted_by: tuple[str, ...]
    table: str  # in the warehouse
    checked: tuple[str, ...]  # the numbers that go into its checksum
    time: str = "timestamp"
    sequence: str | None = "sequence"

    @property
    def query(self) -> str:
        """Gives its rows, in order."""
        return f"export_{self.name}"

    @property
    def fingerprint(self) -> str:
        """The query whose answer a file must agree with."""
        return f"fingerprint_{self.name}"


_KEY = [("exchange", EXCHANGE), ("symbol", pa.string()), ("timestamp", MILLISECONDS)]

BOOKS = Dataset(
    "books",
    pa.schema(
        [
            *_KEY,
            ("sequence", pa.int64()),
            ("previous_sequence", pa.int64()),  # null where the chain of updates starts
            ("b", NUMBERS),
            ("bv", NUMBERS),
            ("a", NUMBERS),
            ("av", NUMBERS),
            ("venue_time", NANOSECONDS),
            ("received_time", NANOSECONDS),
        ]
    ),
    ("symbol", "timestamp", "sequence"),
    "md_orderbook_depth",
    ("b", "bv", "a", "av"),
)
TOP_OF_BOOK = Dataset(
    "top_of_book",
    pa.schema(
        [
            *_KEY,
            ("sequence", pa.int64()),
            ("bid_price", pa.float64()),
            ("bid_size", pa.float64()),
            ("ask_price", pa.float64()),
            ("ask_size", pa.float64()),
            ("venue_time", NANOSECONDS),
            ("received_time", NANOSECONDS),
        ]
    ),
    ("symbol", "timestamp", "sequence"),
    "md_top_of_book",
    ("bid_price", "bid_size", "ask_price", "ask_size"),
)
TRADES = Dataset(
    "trades",
    pa.schema(
        [
            *_KEY,
            ("id", pa.string()),
            ("price", pa.float64()),
            ("qty", pa.float64()),
            ("side", pa.string()),  # taker side
            ("provenance", pa.string()),
            ("venue_time", NANOSECONDS),
            ("received_time", NANOSECONDS),
        ]
    ),
    ("symbol", "timestamp", "id"),
    "md_trades",
    ("price", "qty"),
    sequence=None,
)
DATASETS = {dataset.name: dataset for dataset in (BOOKS, TOP_OF_BOOK, TRADES)}


def dataset_of(name: str) -> Dataset:
    """The dataset with this name; raises ArchiveError."""
    try:
        return DATASETS[name]
    except KeyError:
        raise ArchiveError(f"the archive has no dataset {name!r}; it has {', '.join(DATASETS)}") from None
