"""Plain Parquet by symbol: the archive's columns, one file a symbol and day, by receive time."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from mdplatform.archive.datasets import DATASETS as ARCHIVED
from mdplatform.export.files import Written, whole, written
from mdplatform.export.source import Piece, Source

# All whose rows are events of one symbol.
DATASETS = tuple(name for name, dataset in ARCHIVED.items() if "received_time" in dataset.schema.names)
ROW_GROUP = 100_000


def write(source: Source, piece: Piece, folder: Path) -> list[Written]:
    """One file, none where there are no rows."""
    rows = source.rows(piece)
    if not rows.num_rows:
        return []
    name = f"{piece.dataset}/{piece.venue}/{piece.symbol}/{piece.day}.parquet"
    with whole(folder, name) as path:
        pq.write_table(rows, path, compression="zstd", row_group_size=ROW_GROUP)
    return [written(folder, name, rows.num_rows)]
