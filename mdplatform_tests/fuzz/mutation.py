"""New inputs from old ones: of bytes, of lines, and of the JSON in a line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

LARGEST = 64 * 1024

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, -(2**63), 0.1, 1e308, 1e-320),
    *("", "0", "-0.0", "1e5", "1E400", "NaN", "Infinity", "0x10", "١", "²", "1.2.3", " 1", "+1", "00012", "9" * 400),
    *("\0", "\ud800", "'", "[]", [], {}, [[]], [[None, None]], ["1"], {"": None}),
)
PIECES = (
    *(b"", b"\0", b"\xff", b"\n", b" ", b'"', b"'", b"\\", b"{}", b"[]", b"null", b"[" * 2000, b"1e999", b"%00", b"%"),
    *(b"=", b";", b":", b",", b"-", b"9" * 30, b"--", b"/*", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9"),
    *(b"!base64 ", b"!200 ", b"\n!200 "),
)


def mutated(inputs: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of the inputs, changed as Hypothesis draws it, which shrinks what fails to fewer and simpler changes."""
    drawn = st.tuples(st.sampled_from(inputs), st.randoms(use_true_random=False))
    return drawn.map(lambda pair: mutate(pair[0], inputs, pair[1]))


def mutate(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """``data`` after one to four changes, some of them pieces of ``others``."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(_CHANGES)(data, others, rng)
    return data[:LARGEST]


def _flip(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(1) + data[at + 1 :]


def _cut(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 8, 64, LARGEST)) :]


def _put(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(PIECES) + data[at + rng.choice((0, 0, 1, 4)) :]


def _splice(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _lines(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """A line doubled, dropped, moved, or taken from another input."""
    lines, more = data.split(b"\n"), rng.choice(others).split(b"\n")
    at = rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            lines.pop(at)
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        case _:
            lines.insert(at, rng.choice(more))
    return b"\n".join(lines)


def _json(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """One value in the JSON of one line is another value, is gone, or is there twice."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    start = lines[at].find(b"{") if b"{" in lines[at] else lines[at].find(b"[")
    document = _read(lines[at][start:]) if start >= 0 else None
    places = list(_places(document))
    if not places:
        return _put(data, others, rng)
    container, key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.insert(key, container[key])
        case 2:
            other_container, other_key = rng.choice(places)
            container[key] = json.loads(json.dumps(other_container[other_key]))
        case _:
            container[key] = rng.choice(VALUES)
    lines[at] = lines[at][:start] + json.dumps(document, separators=(",", ":")).encode()
    return b"\n".join(lines)


def _read(text: bytes) -> Any:
    """The document; None where it is none, or deep: how deep one may be depends on the caller's stack."""
    try:
        return None if b"[" * 100 in text else json.loads(text)
    except ValueError:
        return None


def _places(document: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value in it."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict | list):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            found += [(here, key) for key in keys]
            waiting += [here[key] for key in keys]
    return found


_CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    *(_flip, _cut, _put, _splice, _lines, _lines),
    *(_json, _json, _json, _json),
)
