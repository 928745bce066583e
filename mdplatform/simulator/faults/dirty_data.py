"""What makes lists and frames dirty, whatever the venue: rows are found by their shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mdplatform.simulator.faults.script import Oddity

Rows = list[Any] | dict[str, Any]

_ODD = "ODD"
_VALUES: dict[Oddity, Any] = {"null": None, "empty": "", "zero": "0"}


def with_odd_row(body: bytes, bases: Sequence[str], odd: Oddity, number: int) -> bytes:
    """A list with one row more: that of an instrument of one of these assets, renamed, the rest of it as `odd` says."""
    document = msgspec.json.decode(body)
    rows, name = _rows(document, bases), f"{_ODD}{number}"
    if rows is None:
        return body
    keyed = list(rows.items() if isinstance(rows, dict) else enumerate(rows))
    key, row, base = next((key, row, base) for base in bases for key, row in keyed if base in _texts(row))
    odd_row = {field: _renamed(value, base, name, odd) for field, value in row.items()}
    if odd == "absent":
        odd_row = {field: value for field, value in odd_row.items() if field in _kept(row, base)}
    if isinstance(rows, dict):
        rows[str(key).replace(base, name)] = odd_row
    else:
        rows.insert(len(rows) // 2, odd_row)
    return msgspec.json.encode(document)


def shrunk(body: bytes, bases: Sequence[str]) -> bytes:
    """A list of instruments of these assets with the first third of its rows."""
    document = msgspec.json.decode(body)
    rows = _rows(document, bases)
    if isinstance(rows, dict):
        for key in list(rows)[len(rows) // 3 :]:
            del rows[key]
    elif rows is not None:
        del rows[len(rows) // 3 :]
    return msgspec.json.encode(document)


def with_bad_row(frame: bytes) -> bytes:
    """A frame of rows with one more in front, of which every value is nonsense; one without rows stays as it is."""
    try:
        document = msgspec.json.decode(frame)
    except msgspec.DecodeError:
        return frame
    rows = next((rows for rows in _lists(document) if rows and isinstance(rows[0], dict)), None)
    if rows is None:
        return frame
    rows.insert(0, {field: _nonsense(value) for field, value in rows[0].items()})
    return msgspec.json.encode(document)


def _nonsense(value: Any) -> Any:
    return {"no": "sense"} if isinstance(value, str | int | float | bool) else value


def _rows(document: Any, bases: Sequence[str]) -> Rows | None:
    """The list of objects, or object of objects, of which most name one of these assets; None where none does."""

    def named(rows: Rows) -> int:
        each = rows.values() if isinstance(rows, dict) else rows
        return sum(any(base in texts for base in bases) for texts in map(_texts, each))

    found = max(_collections(document), key=named, default=None)
    return found if found and named(found) else None


def _collections(value: Any) -> Iterator[Rows]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if inner and all(isinstance(one, dict) for one in inner):
        yield value
    for one in inner[:10]:
        if isinstance(one, dict | list):
            yield from _collections(one)


def _lists(value: Any) -> Iterator[list[Any]]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, list):
        yield value
    for one in inner:
        if isinstance(one, dict | list):
            yield from _lists(one)


def _texts(row: dict[str, Any]) -> str:
    return " ".join(value for value in row.values() if isinstance(value, str))


def _kept(row: dict[str, Any], base: str) -> set[str]:
    """What names the instrument; without it nobody could say whose row it is."""
    return {field for field, value in row.items() if isinstance(value, str) and base in value}


def _renamed(value: Any, base: str, name: str, odd: Oddity) -> Any:
    if isinstance(value, str) and base in value:
        return value.replace(base, name)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return _VALUES.get(odd, value)
    return value
