"""An archive in a directory of this machine.

A file is written to a temporary name, made durable, then renamed: whoever looks at the directory sees the old file or
the new one, whole.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyarrow import fs

from mdplatform.archive.store import MANIFEST, Store, Written, manifest_directory, manifest_keys

TEMPORARY = (".part-", ".manifest-")


class LocalStore(Store):
    """``root`` need not exist before something is written."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        super().__init__(fs.LocalFileSystem(), str(self._root), str(self._root))

    @contextmanager
    def fetched(self, key: str) -> Iterator[Path]:
        path = self._root / key
        if not path.is_file():
            raise FileNotFoundError(path)
        yield path

    @contextmanager
    def alone(self, directory: str) -> Iterator[Path]:
        """Only one writer a directory: a second one waits until the first is done (or dead)."""
        path, staging = self._root / directory, self._root / manifest_directory(directory)
        path.mkdir(parents=True, exist_ok=True)
        staging.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            handle, name = tempfile.mkstemp(dir=staging, prefix=TEMPORARY[0])
            os.fchmod(handle, 0o644)
            os.close(handle)
            try:
                yield Path(name)
            finally:
                Path(name).unlink(missing_ok=True)
        finally:
            os.close(lock)

    def part_name(self, number: int, sha256: str) -> str:
        """The same name for every content: those who read without the manifest see one file, never two at once."""
        return f"part-{number:04d}.parquet"

    def replace(self, directory: str, files: Sequence[Written], manifest: bytes) -> None:
        """1. The old manifest goes, 2. files take their names, 3. those of before go, 4. the new manifest appears."""
        with self.told(f"replace {directory}"):
            self._replace(directory, files, manifest)

    def _replace(self, directory: str, files: Sequence[Written], manifest: bytes) -> None:
        path = self._root / directory
        for key in manifest_keys(directory):  # 1.
            (self._root / key).unlink(missing_ok=True)
            _sync((self._root / key).parent)
        for file in files:  # 2.
            os.replace(file.path, path / file.name)
        _tidy(path, [file.name for file in files])  # 3.
        beside = self._root / manifest_directory(directory)
        with tempfile.NamedTemporaryFile(dir=beside, prefix=TEMPORARY[1], delete=False) as staged:  # 4.
            staged.write(manifest)
            staged.flush()
            os.fsync(staged.fileno())
        os.chmod(staged.name, 0o644)
        _sync(path)
        os.replace(staged.name, beside / MANIFEST)
        _sync(beside)

    def tidy(self, directory: str, names: Sequence[str]) -> None:
        """Temporary files go too: nobody else can be writing here now."""
        with self.told(f"tidy {directory}"):
            _tidy(self._root / directory, names)
            _tidy(self._root / manifest_directory(directory), ())
            now, before = (self._root / key for key in manifest_keys(directory))
            if before.is_file():
                os.replace(before, now) if not now.exists() else before.unlink()
                _sync(now.parent)
                _sync(before.parent)


def _tidy(directory: Path, names: Sequence[str]) -> None:
    for path in directory.iterdir():
        if path.name not in names and path.name.startswith(("part-", *TEMPORARY)):
            path.unlink()


def _sync(directory: Path) -> None:
    """Make renames and removals in ``directory`` durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
