"""Files of an export: each appears only once it is whole, and a list says which are there, so that a run goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mdplatform.core.errors import UNREADABLE, ConfigError
from mdplatform.export.source import Piece

LIST = "_export.json"


class Written(msgspec.Struct, frozen=True):
    """One file, relative to the folder of the export."""

    path: str
    rows: int
    bytes: int
    sha256: str


class Done(msgspec.Struct):
    """The content of the list: what was requested, and the files of each piece that is done."""

    request: dict[str, str]
    pieces: dict[str, list[Written]] = {}


@contextmanager
def whole(folder: Path, name: str) -> Iterator[Path]:
    """A path to write to; what was written becomes ``name`` at the end, or nothing. Raises ConfigError."""
    target = folder / name
    unfinished = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, target)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def written(folder: Path, name: str, rows: int) -> Written:
    """What the list says of a file."""
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(name, rows, (folder / name).stat().st_size, digest)


class Progress:
    """The list of one folder. Raises ConfigError where it is that of another export."""

    def __init__(self, folder: Path, request: Mapping[str, str]) -> None:
        self._folder, self._done = folder, Done(dict(request))
        path = folder / LIST
        if path.exists():
            try:
                known = msgspec.json.decode(path.read_bytes(), type=Done)
            except UNREADABLE as error:
                raise ConfigError(f"{path} is not the list of an export: {error}") from None
            if known.request != self._done.request:
                differs = ", ".join(key for key, value in request.items() if known.request.get(key) != value)
                raise ConfigError(f"{folder} holds another export ({differs} differ): choose another folder")
            self._done = known

    def known(self, piece: Piece) -> list[Written] | None:
        """The files of a piece that is done and whose files are still as long as they were; None otherwise."""
        files = self._done.pieces.get(_key(piece))
        if files is None or any(not self._is_there(file) for file in files):
            return None
        return files

    def note(self, piece: Piece, files: list[Written]) -> None:
        """The piece is done."""
        self._done.pieces[_key(piece)] = files
        text = msgspec.json.format(msgspec.json.encode(self._done, order="sorted"), indent=2)
        with whole(self._folder, LIST) as path:
            path.write_bytes(text + b"\n")

    def _is_there(self, file: Written) -> bool:
        path = self._folder / file.path
        return path.is_file() and path.stat().st_size == file.bytes


def _key(piece: Piece) -> str:
    return f"{piece.dataset}/{piece.venue}/{piece.symbol}/{piece.day}"
