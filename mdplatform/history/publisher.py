"""What the archives of venues have in common: one small file a venue says the rest."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from mdplatform.core.errors import UNREADABLE, ArchiveError, FrameError
from mdplatform.core.symbols import Instrument
from mdplatform.history.download import download, fetch, published_sha256
from mdplatform.history.files import Kind, PublishedFile

Note = Callable[[str], None]
"""Takes what people should know of a file that was loaded, as one line."""


class Brought(NamedTuple):
    """What was fetched of one file, and the sha256 by which it is known."""

    paths: tuple[Path, ...]
    sha256: str


class Publisher(ABC):
    """One venue's past. ``has_checksums``: the venue publishes one beside each file."""

    has_checksums = False

    @abstractmethod
    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        """The kinds of files of the canonical ``symbol``, of which the first that is there is taken; () where none is.

        ``kind`` None: of trades with the ids of the live ones; "ob500": of whole books.
        """

    @abstractmethod
    def base_url(self, kind: Kind) -> str:
        """The venue's own address."""

    @abstractmethod
    def path(self, file: PublishedFile) -> str:
        """Where it is below the base address; its identity in the warehouse."""

    @abstractmethod
    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        """Its rows in the columns of their table; ``as_trades``: in those of md_trades. Raises ArchiveError, also in
        the middle. ``note`` takes what is odd and no fault."""

    def has_months(self, kind: Kind) -> bool:
        """Whether there are files of whole months."""
        return False

    def has_days(self, kind: Kind) -> bool:
        """Whether there are files of single days."""
        return True

    def sha256(self, base_url: str, file: PublishedFile) -> str | None:
        """As the venue states it; None where it has published no such file. Only for those that state one."""
        return published_sha256(f"{base_url}/{self.path(file)}")

    def bring(
        self, base_url: str, file: PublishedFile, instrument: Instrument, folder: Path, sha256: str | None
    ) -> Brought | None:
        """Fetch it into ``folder``, resumed where it broke off, proven where there is a checksum; None where there is
        no such file. Raises FeedError, ArchiveError."""
        url = f"{base_url}/{self.path(file)}"
        if sha256 is not None:
            return Brought((download(url, sha256, folder),), sha256)
        fetched = fetch(url, folder)
        return None if fetched is None else Brought((fetched[0],), fetched[1])


def whose(exchange: str, symbol: str, columns: dict[str, pa.Array]) -> pa.Table:
    """Rows of one instrument, from an archive."""
    count = len(columns["timestamp"])
    said = {"exchange": exchange, "symbol": symbol, "provenance": "archive"}
    return pa.table({**{name: pa.repeat(pa.scalar(text), count) for name, text in said.items()}, **columns})


@contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever a file that is not as documented raises is said as one line about it."""
    damage = (pa.ArrowException, zipfile.BadZipFile, gzip.BadGzipFile, tarfile.TarError, zlib.error, EOFError, KeyError)
    try:
        yield
    except (*damage, *UNREADABLE, FrameError) as error:
        raise ArchiveError(f"{name} does not read as documented: {str(error).splitlines()[0]}") from error
