"""Where a partition of the archive lives: ``<root>/<dataset>/exchange=E/date=YYYY-MM-DD/hour=HH/``.

Hive names, so that pandas, polars, DuckDB and Spark prune by them. Symbols are inside the files, sorted, never a
directory each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mdplatform.errors import ArchiveError

MANIFEST = "_manifest.json"
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

    def directory(self, root: Path) -> Path:
        return root / self.path

    def manifest(self, root: Path) -> Path:
        return self.directory(root) / MANIFEST

    @classmethod
    def parse(cls, path: str) -> Partition:
        """The partition of a relative path as ``path`` writes it; raises ArchiveError."""
        try:
            dataset, exchange, date, hour = path.split("/")
            start = datetime.strptime(f"{date} {hour}", "date=%Y-%m-%d hour=%H").replace(tzinfo=UTC)
            return cls(dataset, exchange.removeprefix("exchange="), start)
        except ValueError:
            raise ArchiveError(f"not a partition of the archive: {path!r}") from None


def part_name(number: int) -> str:
    return f"part-{number:04d}.parquet"


def published(root: Path, dataset: str = "*", exchange: str = "*", hour: datetime | None = None) -> Iterator[Partition]:
    """The partitions that have a manifest, in order of their paths: what has none is not there for a reader."""
    when = "date=*/hour=*" if hour is None else f"date={hour:%Y-%m-%d}/hour={hour:%H}"
    for manifest in sorted(root.glob(f"{dataset}/exchange={exchange}/{when}/{MANIFEST}")):
        yield Partition.parse(manifest.parent.relative_to(root).as_posix())
