"""Text from outside as people may see it: whoever names an instrument must not draw on a terminal, nor fill it."""

from __future__ import annotations

import logging
import re
from codecs import getincrementaldecoder
from typing import IO

MOST_SHOWN, MOST_LOGGED = 200, 4_000  # characters

# C0 and C1 controls (escape sequences begin with ESC or, in one character, with U+009B), surrogates that belong to
# nothing, line and paragraph separators, and what turns the direction of writing.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_ONE = re.compile(f"[{_UNSAFE}]")
_IN_LINES = re.compile(f"(?![\\n\\t])[{_UNSAFE}]")


def legible(text: str, most: int = MOST_SHOWN) -> str:
    """One line of at most ``most`` characters; what is no character to look at is written out, as in ``\\x1b``."""
    return _ONE.sub(_written, text if len(text) <= most else f"{text[: most - 1]}…")


def legible_lines(text: str) -> str:
    """Any number of lines, whole, with their tabs."""
    return _IN_LINES.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class LegibleFormatter(logging.Formatter):
    """A log line stays one line, whatever it names; below it, the lines of an exception."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = legible(record.message, MOST_LOGGED)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return legible_lines(super().format(record))


class LegibleStream:
    """A binary file to a terminal: bytes of UTF-8 go to ``target`` as ``legible_lines`` of them."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")

    def write(self, data: bytes) -> int:
        self._target.write(legible_lines(self._decoder.decode(data)).encode())
        return len(data)

    def flush(self) -> None:
        self._target.flush()
