"""An archive in an object store (S3, GCS, Azure, or whatever fsspec knows).

Nothing can be renamed there, but what is written appears whole or not at all. So a file's key names its content and is
never written with another one; the manifest, written in one step, makes it part of the archive. Readers trust the
manifest alone: while an hour is replaced, and after a kill, a file may lie beside it that belongs to no hour.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec
from pyarrow import fs

from mdplatform.archive.store import MANIFEST, Store, Written, manifest_directory, manifest_keys
from mdplatform.core.errors import UNREADABLE

SUPERSEDED = "_superseded.json"
PIECE = 8 * 2**20  # bytes at a time; S3 takes no multipart pieces below 5 MiB
# No writer takes this long from a file to its manifest: what is older and in no manifest was left by one that died.
LEFTOVER_AFTER = timedelta(hours=1)


class _Listed(msgspec.Struct):
    """What is needed of a manifest to know its files."""

    files: list[dict[str, object]]


class ObjectStore(Store):
    """Writers are not kept apart: of two at once the last manifest holds, and both are whole."""

    @contextmanager
    def fetched(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="mdplatform-", suffix=".parquet") as file:
            with self.told(f"fetch {key}"), self._filesystem.open_input_stream(self._path(key)) as source:
                shutil.copyfileobj(source, file, PIECE)
            file.flush()
            yield Path(file.name)

    @contextmanager
    def alone(self, directory: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="mdplatform-") as staging:
            yield Path(staging) / "part"

    def part_name(self, number: int, sha256: str) -> str:
        return f"part-{number:04d}-{sha256[:16]}.parquet"

    def replace(self, directory: str, files: Sequence[Written], manifest: bytes) -> None:
        """1. Files under their own keys, 2. a note of those that nobody will need, for ``tidy``, 3. the manifest."""
        for file in files:  # 1.
            with file.path.open("rb") as source:
                self._put(f"{directory}/{file.name}", source)
        superseded = sorted(self._listed(directory) - {file.name for file in files})
        if superseded:  # 2.
            self._put(_note(directory), io.BytesIO(msgspec.json.encode(superseded)))
        now, before = manifest_keys(directory)
        self._put(now, io.BytesIO(manifest))  # 3.
        self._remove(before)

    def tidy(self, directory: str, names: Sequence[str]) -> None:
        """What a manifest superseded, and what is old: a young stranger may be a writer's whose manifest is to come."""
        self._move(directory)
        found = [
            info for place in (directory, manifest_directory(directory)) for info in self._infos(place, recursive=False)
        ]
        times = {info.base_name: info.mtime for info in found if info.type == fs.FileType.File}
        now = times.get(MANIFEST)  # on the store's clock: the manifest is there since this moment or longer
        needed = {*names, *self._listed(directory)}  # another writer's manifest may be there by now
        gone = self._superseded(directory) if SUPERSEDED in times else set()
        for name, at in times.items():
            is_old = now is not None and at is not None and at < now - LEFTOVER_AFTER
            if name.startswith("part-") and name not in needed and (name in gone or is_old):
                self._remove(f"{directory}/{name}")
        if SUPERSEDED in times:
            self._remove(_note(directory))

    def _move(self, directory: str) -> None:
        """The manifest out of the way of those who read the directory, where an earlier version wrote it."""
        now, before = manifest_keys(directory)
        if self.holds(before):
            if not self.holds(now):
                self._put(now, io.BytesIO(self.read(before)))
            self._remove(before)

    def _superseded(self, directory: str) -> set[str]:
        try:
            return msgspec.json.decode(self.read(_note(directory)), type=set[str])
        except FileNotFoundError:  # another writer tidies, too
            return set()

    def _listed(self, directory: str) -> set[str]:
        try:
            manifest = msgspec.json.decode(self.manifest(directory), type=_Listed)
        except (FileNotFoundError, *UNREADABLE):
            return set()
        return {str(file["name"]) for file in manifest.files}

    def _put(self, key: str, source: BinaryIO) -> None:
        with self.told(f"write {key}"):
            target = self._filesystem.open_output_stream(self._path(key))
            try:
                shutil.copyfileobj(source, target, PIECE)
            except BaseException:
                # Closing is the only way to end an upload, and makes a file of what came so far.
                target.close()
                self._remove(key)
                raise
            target.close()

    def _remove(self, key: str) -> None:
        with self.told(f"remove {key}"), suppress(FileNotFoundError):
            self._filesystem.delete_file(self._path(key))


def _note(directory: str) -> str:
    return f"{manifest_directory(directory)}/{SUPERSEDED}"
