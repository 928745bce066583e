"""The shape of a venue's frames: which kind of frame holds which fields. What was never seen before is noticed.

A parser that reads the fields that it needs passes over what a venue adds, so a venue that changes is noticed only when
something breaks. The fields that were seen in recordings and documents are kept in ``known_fields``, a file a venue, a
line a field: ``<kind of frame> <path>``, arrays as ``[]``. The files are written by ``mdplatform_tests.venues.shapes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from mdplatform.core.errors import UNREADABLE

# Where venues say what a frame is, the most specific first; the part of the value that names the kind is a word.
_NAMES = ("stream", "channel", "topic", "feed", "e", "type", "event", "method", "op", "subject", "action", "ret_msg")
_NESTED = (("arg", "channel"), ("arg", "topic"), ("params", "channel"))
_WORD = re.compile(r"[A-Za-z][A-Za-z_\-/0-9]*[A-Za-z]|[A-Za-z]")
# A name that a venue makes up for a thing (a symbol, an id) in place of a field's: one path for all of them.
_MADE_UP = re.compile(r"^[A-Z0-9][A-Z0-9_./:\-]*$|^[0-9a-f-]{16,}$|[0-9]{4,}")
_LONGEST_KIND = 60


def fields(frame: bytes) -> frozenset[str] | None:
    """``<kind> <path>`` of every field of a frame; None where it is no JSON object."""
    try:
        value = msgspec.json.decode(frame)
    except UNREADABLE:
        return None
    if not isinstance(value, dict):
        return None
    kind = kind_of(value)
    return frozenset(f"{kind} {path}" for path in _paths(value, ""))


def kind_of(message: dict[str, Any]) -> str:
    """What a message says that it is, without symbols and numbers: the same for all messages of a channel."""
    words = [_word(message[name]) for name in _NAMES if isinstance(message.get(name), str)]
    for outer, inner in _NESTED:
        nested = message.get(outer)
        if isinstance(nested, dict) and isinstance(nested.get(inner), str):
            words.append(_word(nested[inner]))
    return "/".join(dict.fromkeys(filter(None, words)))[:_LONGEST_KIND] or "-"


@cache
def known(venue_id: str) -> frozenset[str]:
    """The fields that are known of a venue; empty where none were ever written down."""
    file = resources.files("mdplatform.venuekit").joinpath("known_fields", f"{venue_id}.txt")
    return frozenset(file.read_text().splitlines()) if file.is_file() else frozenset()


def _word(text: str) -> str:
    name = text.partition("@")[2] or text  # Binance: symbol@channel
    found = _WORD.match(name.partition(":")[0])
    return "" if found is None or _MADE_UP.search(found[0]) else found[0]


def _paths(value: Any, at: str, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{at}.{'*' if len(name) > 3 and _MADE_UP.search(name) else name}" if at else name
            path = path[:_LONGEST_PATH]
            yield path
            yield from _paths(inner, path, depth + 1)
    elif isinstance(value, list):
        for inner in value[:_SAMPLED_ROWS]:
            if isinstance(inner, dict | list):
                yield from _paths(inner, f"{at}[]", depth + 1)


_SAMPLED_ROWS = 50  # of a list: its rows are alike, and a snapshot has thousands
# No venue nests as deep or names fields as long. A frame that does is refused by its parser; to look at it must cost no
# more than any other.
_DEEPEST, _LONGEST_PATH = 20, 200
