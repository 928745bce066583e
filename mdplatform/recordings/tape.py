"""Tapes: recorded frames, one a line, ``<receive time> <raw frame>``; plain or gzip.

The unit of the time (s, ms, us or ns) follows from its magnitude; we write ns. A frame that contains a line break is
written as ``<time> !base64 <text>``, the body of a REST answer as ``<time> !rest <path with query> <body>``, a frame
whose meaning depends on its socket's path as ``<time> !socket <path> <frame>``. Captures of cryptofeed are read too:
``t: frame`` received, ``URL <- t: frame`` sent, ``URL -> t: body`` a REST answer, ``URL <-> t`` opened, and lines that
hold none of these.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, cast
from urllib.parse import quote

import msgspec

from mdplatform.core.clock import epoch_ns
from mdplatform.core.errors import ConfigError
from mdplatform.core.private import AS_USUAL, appended_file

_BASE64 = b"!base64 "
_REST = b"!rest "
_SOCKET = b"!socket "
_OURS = re.compile(rb"([0-9]+(?:\.[0-9]+)?) (.+)", re.DOTALL)
_RECEIVED = re.compile(rb"([0-9]+(?:\.[0-9]+)?): (.*)", re.DOTALL)
_OTHER = re.compile(rb"(\S+://\S+) (<->|<-|->) ([0-9]+(?:\.[0-9]+)?)(?:: (.*))?", re.DOTALL)


_URL = "/?&=%:,;+!*'()$@~[]"  # what stands for itself in a path with its query


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line that could be read."""

    received_ns: int
    frame: bytes
    kind: Literal["frame", "answer"] = "frame"  # answer: the body of a REST answer
    request: str | None = None  # path with query of the call that it answers, where the tape says so
    path: str | None = None  # of the socket that it came from, where the tape says so


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is neither ``<time> <frame>`` nor anything else that tapes hold."""

    number: int  # from 1
    line: bytes
    problem: str


def read_lines(path: Path | str) -> Iterator[bytes]:
    """The lines of a tape file, gzip or not; raises ConfigError when it cannot be read to its end."""
    try:
        with Path(path).open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield from unpacked(file) if packed else file
    except OSError as error:
        raise ConfigError(f"cannot read tape {path}: {error.strerror or error}") from error


def unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a gzip stream; raises ConfigError when it is damaged or cut short."""
    try:
        yield from gzip.GzipFile(fileobj=file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"gzip data is damaged or cut short: {error}") from error


def parse(lines: Iterable[bytes]) -> Iterator[Entry | Unreadable]:
    """What each line holds. What was sent or opened, settings and blank lines are passed over."""
    for number, line in enumerate(lines, 1):
        text = line.rstrip(b"\r\n")
        try:
            entry = _parse_line(text)
        except ValueError as error:
            yield Unreadable(number, text, f"line {number}: {error}")
            continue
        if entry is not None:
            yield entry


def _parse_line(text: bytes) -> Entry | None:
    """Raises ValueError saying what is wrong."""
    if match := _OURS.fullmatch(text):
        time, frame = match.groups()
        if frame.startswith(_REST):
            request, _, body = frame[len(_REST) :].partition(b" ")
            return Entry(_time_ns(time), _verbatim(body), "answer", request.decode())
        if frame.startswith(_SOCKET):
            path, _, frame = frame[len(_SOCKET) :].partition(b" ")
            return Entry(_time_ns(time), _verbatim(frame), path=path.decode())
        return Entry(_time_ns(time), _verbatim(frame))
    if match := _RECEIVED.fullmatch(text):
        return Entry(_time_ns(match[1]), match[2])
    if match := _OTHER.fullmatch(text):
        return Entry(_time_ns(match[3]), match[4] or b"", "answer") if match[2] == b"->" else None
    if not text.strip() or text.startswith(b"configuration: "):
        return None
    raise ValueError("not '<receive time> <raw frame>'")


def _verbatim(text: bytes) -> bytes:
    if not text.startswith(_BASE64):
        return text
    try:
        return base64.b64decode(text[len(_BASE64) :], validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error


def _time_ns(text: bytes) -> int:
    """Raises ValueError when ``text`` is no time that 64 bits of nanoseconds hold."""
    time_ns = epoch_ns(text.decode())
    if time_ns >= 2**63:
        raise ValueError(f"beyond the year 2262: {text.decode()}")
    return time_ns


class TapeWriter:
    """Writes frames as they come, gzip when the name ends in ``.gz``. A context manager."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.frames = 0
        # Held open for the life of the writer, which is the context manager.
        self._tape = appended_file(self.path, AS_USUAL)
        is_packed = self.path.suffix == ".gz"
        self._file = cast(IO[bytes], gzip.GzipFile(mode="ab", fileobj=self._tape)) if is_packed else self._tape

    def write(self, received_ns: int, frame: bytes, request: str | None = None, path: str | None = None) -> None:
        self._file.write(tape_line(received_ns, frame, request, path))
        self.frames += 1

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            self._tape.close()  # which gzip leaves open

    def __enter__(self) -> TapeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def tape_line(received_ns: int, frame: bytes, request: str | None = None, path: str | None = None) -> bytes:
    """The line of one frame (of the socket at ``path``), or of the answer to ``request``, with its line end."""
    if b"\n" in frame or b"\r" in frame or not frame or frame.startswith((_BASE64, _REST, _SOCKET)):
        frame = _BASE64 + base64.b64encode(frame)
    if request is not None:
        frame = b"%s%s %s" % (_REST, quote(request, safe=_URL).encode(), frame)
    elif path is not None:
        frame = b"%s%s %s" % (_SOCKET, quote(path, safe=_URL).encode(), frame)
    return b"%d %s\n" % (received_ns, frame)
