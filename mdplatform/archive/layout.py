"""Where a partition of the archive lives: ``<root>/<dataset>/exchange=E/date=YYYY-MM-DD/hour=HH/``.

Hive names, so that pandas, polars, DuckDB and Spark prune by them. Symbols are inside the files, sorted, never a
directory each. The manifest of a partition has the same path below ``<root>/_manifests/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.store import MANIFEST, MANIFESTS, Store, manifest_keys
from mdplatform.core.errors import ArchiveError

_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9-]*")
_DATASET = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, order=True)
class Partition:
    """One UTC hour of one dataset of one exchange. ``hour`` is its first instant, with a time zone."""

    dataset: str
    exchange: str
    hour: datetime

    def __post_init__(self) -> None:
        if not _DATASET.fullmatch(self.dataset) or not _EXCHANGE.fullmatch(self.exchange):
            raise ArchiveError(f"not a dataset and exchange: {self.dataset!r}, {self.exchange!r}")
        if self.hour.tzinfo is None or self.hour.timestamp() % 3600:
            raise ArchiveError(f"not the start of a UTC hour: {self.hour.isoformat()}")
        object.__setattr__(self, "hour", self.hour.astimezone(UTC))

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """Relative to the archive's root."""
        return f"{self.dataset}/exchange={self.exchange}/date={self.hour:%Y-%m-%d}/hour={self.hour:%H}"

    @property
    def manifest(self) -> str:
        """The key of its manifest."""
        return manifest_keys(self.path)[0]

    @classmethod
    def parse(cls, path: str) -> Partition:
        """The partition of a relative path as ``path`` writes it; raises ArchiveError."""
        try:
            dataset, exchange, date, hour = path.split("/")
            start = datetime.strptime(f"{date} {hour}", "date=%Y-%m-%d hour=%H").replace(tzinfo=UTC)
            partition = cls(dataset, exchange.removeprefix("exchange="), start)
        except ValueError:
            raise ArchiveError(f"not a partition of the archive: {path!r}") from None
        if partition.path != path:
            raise ArchiveError(f"not a partition of the archive: {path!r}")
        return partition


@dataclass(frozen=True)
class Selection:
    """Which partitions are meant: None admits all. Hours from ``start`` on, before ``end``, both with a time zone."""

    dataset: str | None = None
    exchange: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def admits(self, partition: Partition) -> bool:
        return (
            self.dataset in (None, partition.dataset)
            and self.exchange in (None, partition.exchange)
            and (self.start is None or partition.hour >= self.start)
            and (self.end is None or partition.hour < self.end)
        )


def stored(root: Root, selection: Selection = Selection()) -> dict[Partition, list[str]]:
    """The names of each partition's files, the manifest's too, in order of the partitions."""
    store, found = store_at(root), dict[Partition, list[str]]()
    trees = ("",) if selection.dataset is None else (selection.dataset, f"{MANIFESTS}/{selection.dataset}")
    for key in (key for tree in trees for key in store.keys(tree)):
        directory, _, name = key.removeprefix(f"{MANIFESTS}/").rpartition("/")
        try:
            partition = Partition.parse(directory)
        except ArchiveError:
            continue  # somebody's notes
        if selection.admits(partition):
            found.setdefault(partition, []).append(name)
    return {partition: sorted(found[partition]) for partition in sorted(found)}


def published(root: Root, selection: Selection = Selection()) -> Iterator[Partition]:
    """The partitions that have a manifest, in their order: what has none is not there for a reader."""
    for partition, names in stored(root, selection).items():
        if MANIFEST in names:
            yield partition


def published_in(root: Root, hour: datetime) -> Iterator[Partition]:
    """Those of one hour, by looking only there: an archive may hold years."""
    store = store_at(root)
    for dataset in _below(store, ""):
        for exchange in exchanges(store, dataset):
            try:
                partition = Partition(dataset, exchange, hour)
            except ArchiveError:
                continue
            if is_published(store, partition):
                yield partition


def is_published(store: Store, partition: Partition) -> bool:
    """Whether a reader finds it."""
    return any(store.holds(key) for key in manifest_keys(partition.path))


def exchanges(store: Store, dataset: str) -> list[str]:
    """Those with hours of this dataset, also where none of them had a row and so a file."""
    return [name.removeprefix("exchange=") for name in _below(store, dataset)]


def _below(store: Store, directory: str) -> list[str]:
    """The names of directories below this one of files and below its twin of manifests, sorted."""
    twin = f"{MANIFESTS}/{directory}".rstrip("/")
    return sorted({key.rpartition("/")[2] for tree in (directory, twin) for key in store.directories(tree)})
