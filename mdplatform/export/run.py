"""One export: each dataset, symbol and day becomes its files; what is done already is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from mdplatform.core.errors import ConfigError
from mdplatform.core.optional import needed
from mdplatform.export.files import Progress, Written
from mdplatform.export.source import Piece, Source, days
from mdplatform.read.request import Wanted

# Each module has DATASETS, those that it takes, and write(source, piece, folder) -> its files.
FORMATS = {"hftbacktest": "hftbacktest", "nautilus": "nautilus", "tardis": "tardis_csv", "parquet": "plain_parquet"}


def _format(name: str) -> ModuleType:
    """Raises ConfigError where what it is written with is not installed."""
    return needed(f"mdplatform.export.{FORMATS[name]}")


@dataclass(frozen=True)
class Request:
    """What is wanted: ``datasets`` none means all of the format; times have a zone."""

    format: str
    venue: str
    symbols: Sequence[str]
    start: datetime
    end: datetime
    datasets: Sequence[str] = ()

    def pieces(self) -> Iterator[Piece]:
        """In the order in which they are written. Raises ConfigError for what the format does not take."""
        known = _format(self.format).DATASETS
        if strange := [name for name in self.datasets if name not in known]:
            raise ConfigError(f"{self.format} takes {', '.join(known)}; not {strange[0]!r}")
        if not self.symbols:
            raise ConfigError("name at least one symbol")
        # Its checks are those of every other question.
        wanted = Wanted.of("trades", self.venue, self.symbols, self.start, self.end)
        for dataset in self.datasets or known:
            for symbol in wanted.symbols:
                for start, end in days(wanted.start, wanted.end):
                    yield Piece(dataset, self.venue, symbol, start, end, wanted.start, wanted.end)

    def stated(self) -> dict[str, str]:
        """What makes files of one folder belong together."""
        times = {name: at.astimezone(UTC).isoformat() for name, at in (("from", self.start), ("to", self.end))}
        return {"format": self.format, **times}


def export(
    request: Request, source: Source, folder: Path, said: Callable[[int, int, Piece, list[Written], bool], None]
) -> list[Written]:
    """All files, those that were there too. ``said``: number, of how many, piece, its files, whether it was there.

    Running it again goes on where it was stopped; the same rows give the same bytes. Raises ConfigError, also where the
    folder holds another export, WarehouseError, ArchiveError.
    """
    pieces = list(request.pieces())
    progress = Progress(folder, request.stated())
    files: list[Written] = []
    for number, piece in enumerate(pieces, 1):
        known = progress.known(piece)
        found = _format(request.format).write(source, piece, folder) if known is None else known
        if known is None:
            progress.note(piece, found)
        said(number, len(pieces), piece, found, known is not None)
        files += found
    return files
