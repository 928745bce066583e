"""Rows from an archive: hours that are published, as their manifests say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mdplatform.archive import manifest as manifests
from mdplatform.archive.layout import Partition, exchanges, is_published
from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.store import Store
from mdplatform.core.errors import ArchiveError
from mdplatform.read.request import Wanted


def pieces(root: Root, wanted: Wanted, partial: bool, columns: Sequence[str] = ()) -> Iterator[tuple[str, pa.Table]]:
    """(exchange, rows) of each file that may hold some; raises ArchiveError, also for an hour that is not published.

    ``columns``: the only ones that are needed.
    """
    store = store_at(root)
    for exchange in wanted.venues or _exchanges(store, wanted):
        hours = [Partition(wanted.dataset.name, exchange, hour) for hour in wanted.hours]
        published = [partition for partition in hours if is_published(store, partition)]
        if not partial:
            _refuse_lacking(store, hours, published)
        for partition in published:
            for piece in _rows(store, partition, wanted, columns):
                yield exchange, piece


def refilled(store: Store, partition: Partition) -> dict[str, int]:
    """By symbol, the trades of an hour that a REST answer brought afterwards; raises ArchiveError."""
    found: dict[str, int] = {}
    for file in manifests.read(store, partition).files:
        with _opened(store, f"{partition}/{file.name}") as path:
            late = pc.field("provenance") == "rest"
            symbols = pq.read_table(path, columns=["symbol"], filters=late, partitioning=None)["symbol"]
        for counted in pc.value_counts(symbols).to_pylist():
            found[counted["values"]] = found.get(counted["values"], 0) + counted["counts"]
    return found


def _exchanges(store: Store, wanted: Wanted) -> list[str]:
    found = exchanges(store, wanted.dataset.name)
    if not found:
        raise ArchiveError(f"the archive at {store} holds no {wanted.dataset.name}")
    return found


def _refuse_lacking(store: Store, hours: list[Partition], published: list[Partition]) -> None:
    """Rows that are not there must not look as if there had been none."""
    lacking = [partition for partition in hours if partition not in published]
    if lacking:
        raise ArchiveError(
            f"the archive at {store} lacks {len(lacking)} of {len(hours)} hours of the range: {lacking[0]}"
            f"{' and later ones' if lacking[1:] else ''}; partial=True reads what is there"
        )


def _rows(store: Store, partition: Partition, wanted: Wanted, columns: Sequence[str]) -> Iterator[pa.Table]:
    manifest = manifests.read(store, partition)
    if wanted.symbols and not {entry.symbol for entry in manifest.symbols} & set(wanted.symbols):
        return
    for file in manifest.files:
        with _opened(store, f"{partition}/{file.name}") as path:
            # Columns that were added since the file was written are null.
            yield pq.read_table(
                path,
                columns=list(columns) or None,
                schema=wanted.dataset.schema,
                filters=wanted.within,
                partitioning=None,
                page_checksum_verification=True,
            )


@contextmanager
def _opened(store: Store, key: str) -> Iterator[Path]:
    """The file of this key; what fails while it is read is an ArchiveError of one line."""
    try:
        with store.fetched(key) as path:
            yield path
    except FileNotFoundError:
        raise ArchiveError(f"{store.shown(key)} is missing") from None
    except (pa.ArrowException, OSError) as error:
        said = str(error).partition("\n")[0]
        raise ArchiveError(f"{store.shown(key)} cannot be read as Parquet: {said}") from None
