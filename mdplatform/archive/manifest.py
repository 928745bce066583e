"""The manifest of a partition: what its files are, and where their rows came from.

It is written last, in one step, and is the only thing readers trust. Nothing in it varies between equal builds: no
clock, no run id. An hour without rows has a manifest that says so and no file.
"""

from __future__ import annotations

import re

import msgspec

from mdplatform.archive.layout import Partition
from mdplatform.archive.open_store import Root, store_at
from mdplatform.core.errors import UNREADABLE, ArchiveError

SCHEMA_VERSION = 1
_FILE_NAME = re.compile(r"[\w-][\w.-]*")


class FileEntry(msgspec.Struct, frozen=True):
    """One Parquet file beside the manifest."""

    name: str
    rows: int
    bytes: int
    sha256: str


class SymbolRange(msgspec.Struct, frozen=True):
    """What the files hold of one symbol. Times are ns since the epoch; sequences None where the dataset has none."""

    symbol: str
    rows: int
    min_time_ns: int
    max_time_ns: int
    min_sequence: int | None = None
    max_sequence: int | None = None


class OffsetRange(msgspec.Struct, frozen=True):
    """The messages of one topic partition that the rows came from, first and last offset included; how many rows."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    rows: int


class Gap(msgspec.Struct, frozen=True):
    """An interval of the hour in which a feed was not proven valid; times in ns since the epoch."""

    symbol: str
    channel: str
    state: str
    cause: str
    started_ns: int
    ended_ns: int | None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rows came from: the query's name, the code's version, log positions, and how complete the feed was."""

    query: str
    code_version: str
    offsets: list[OffsetRange] = []
    coverage: dict[str, float] = {}  # symbol -> share of the hour for which its feed was proven valid, 0 to 1
    gaps: list[Gap] = []


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``_manifest.json``."""

    schema_version: int = SCHEMA_VERSION
    partition: str  # the directory, relative to the archive's root
    rows: int
    bytes: int
    schema_sha256: str  # of the columns' names and types, see datasets.schema_sha256
    files: list[FileEntry]
    symbols: list[SymbolRange]
    origin: Origin


def encode(manifest: Manifest) -> bytes:
    """Readable JSON with a fixed order of keys: equal manifests are equal bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def read(root: Root, partition: Partition) -> Manifest:
    """The manifest of a partition; raises ArchiveError when there is none or it is not one."""
    store = store_at(root)
    shown = store.shown(partition.manifest)
    try:
        manifest = msgspec.json.decode(store.manifest(partition.path), type=Manifest)
    except FileNotFoundError:
        raise ArchiveError(f"{partition} is not published: {shown} is missing") from None
    except UNREADABLE as error:
        raise ArchiveError(f"{shown} is not a manifest: {error}") from None
    for name in (file.name for file in manifest.files):
        # Whoever could write a manifest could otherwise have any file of this machine read.
        if not _FILE_NAME.fullmatch(name):
            raise ArchiveError(f"{shown} names {name!r}, which is no file beside it")
    if manifest.schema_version != SCHEMA_VERSION or manifest.partition != partition.path:
        raise ArchiveError(
            f"{shown} describes {manifest.partition} in version {manifest.schema_version}, "
            f"not {partition} in version {SCHEMA_VERSION}"
        )
    return manifest
