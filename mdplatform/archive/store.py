"""Where an archive is kept: what readers and writers need of a directory on this machine or of an object store.

Keys are paths relative to the archive's root, parts joined by "/". Beside the directory of each partition there is one
below ``_manifests`` for everything that is no Parquet file: a dataset's own tree holds nothing else, as polars refuses
to read a directory of files of two kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from mdplatform.core.errors import ArchiveError

MANIFEST = "_manifest.json"
MANIFESTS = "_manifests"


def manifest_directory(directory: str) -> str:
    """Where the manifest of a partition's directory is, and what its writers need meanwhile."""
    return f"{MANIFESTS}/{directory}"


def manifest_keys(directory: str) -> tuple[str, str]:
    """Of the manifest, and of where it was in archives of before: beside the files."""
    return f"{manifest_directory(directory)}/{MANIFEST}", f"{directory}/{MANIFEST}"


@dataclass(frozen=True)
class Written:
    """A Parquet file that was written to ``path``, with the name that it is to have."""

    path: Path
    name: str


class Store(ABC):
    """``address`` is for people. Every method raises ArchiveError when the place cannot be reached or refuses."""

    def __init__(self, filesystem: fs.FileSystem, base: str, address: str) -> None:
        self._filesystem = filesystem
        self._base = base.rstrip("/")
        self.address = address.rstrip("/")

    def __str__(self) -> str:
        return self.address

    def shown(self, key: str) -> str:
        """The whole address of a key, for messages."""
        return f"{self.address}/{key}"

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All files below ``prefix``, at any depth, in no order. Temporary files are none."""
        for info in self._infos(prefix, recursive=True):
            if info.type == fs.FileType.File and not info.base_name.startswith("."):
                yield self._key(info.path)

    def holds(self, key: str) -> bool:
        """Whether there is a file of this key."""
        with self.told(f"look for {key}"):
            (info,) = self._filesystem.get_file_info([self._path(key)])
        return bool(info.type == fs.FileType.File)

    def manifest(self, directory: str) -> bytes:
        """The manifest of a partition's directory; raises FileNotFoundError."""
        now, before = manifest_keys(directory)
        try:
            return self.read(now)
        except FileNotFoundError:
            return self.read(before)

    def directories(self, prefix: str = "") -> list[str]:
        """The keys of the directories directly inside ``prefix``, sorted."""
        found = self._infos(prefix, recursive=False)
        return sorted(self._key(info.path) for info in found if info.type == fs.FileType.Directory)

    def read(self, key: str) -> bytes:
        """The bytes of a small file; raises FileNotFoundError."""
        with self.told(f"read {key}"), self._filesystem.open_input_stream(self._path(key)) as stream:
            return bytes(stream.read())

    @abstractmethod
    def fetched(self, key: str) -> AbstractContextManager[Path]:
        """The file of this key as one on this machine, for as long as the context lasts; raises FileNotFoundError."""

    @abstractmethod
    def alone(self, directory: str) -> AbstractContextManager[Path]:
        """Prepare to write to ``directory``; gives a temporary file to stage into, which is gone afterwards."""

    @abstractmethod
    def part_name(self, number: int, sha256: str) -> str:
        """What the file with this content is to be called in this kind of place."""

    @abstractmethod
    def replace(self, directory: str, files: Sequence[Written], manifest: bytes) -> None:
        """Put ``files`` and then ``manifest`` in place of whatever ``directory`` holds."""

    @abstractmethod
    def tidy(self, directory: str, names: Sequence[str]) -> None:
        """Remove what writers that were killed have left, but for files of these names; move a manifest of before."""

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turns errors of the place into an ArchiveError of one line that says what was being done."""
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            said = str(error).partition("\n")[0]
            raise ArchiveError(f"the archive at {self.address} fails to {what}: {said}") from error

    def _infos(self, prefix: str, recursive: bool) -> list[fs.FileInfo]:
        where = fs.FileSelector(self._path(prefix), allow_not_found=True, recursive=recursive)
        with self.told(f"list {prefix or 'its root'}"):
            found: list[fs.FileInfo] = self._filesystem.get_file_info(where)
        return found

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}" if key else self._base

    def _key(self, path: str) -> str:
        return path.removeprefix(self._base).strip("/")
