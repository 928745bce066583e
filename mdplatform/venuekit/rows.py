"""Frames and REST answers that hold many rows: each row stands for itself, so that a bad one costs no other.

A frame is decoded once, with all its rows. Only where that fails is it decoded a second time with its rows left raw,
and each row by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from mdplatform.core.errors import FrameError
from mdplatform.core.session import REFUSALS, Output, refused

F = TypeVar("F")
R = TypeVar("R")

_ROWS_NAMED = 5  # numbers of bad rows that an error lists


class Rows(list[R]):
    """The good rows of a frame that holds bad ones too; a frame without bad ones has a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []  # place of each good row in the frame, from 1
        self.bad: list[tuple[int, Exception]] = []  # place of each bad one, and what is wrong with it
        self.total = 0


class RowDecoder(Generic[F]):
    """Decodes JSON of ``frame_type``, of which ``path`` names the list of rows: ("params", "data").

    Without ``path`` the frame itself is the list. A list on the way, as that of a frame's events, is walked through.
    """

    def __init__(self, frame_type: type[F], row_type: object, *path: str) -> None:
        self._path = path
        self._strict = msgspec.json.Decoder(frame_type).decode
        self._loose: Callable[[bytes], Any] = msgspec.json.Decoder(_loosened(frame_type, row_type)).decode
        self._row: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(row_type).decode

    def decode(self, frame: bytes | msgspec.Raw) -> F:
        """The frame; where some of its rows cannot be read its list is one of ``Rows``. Raises one of ``REFUSALS``."""
        try:
            return self._strict(frame)
        except REFUSALS as error:
            return self.salvaged(frame, error)

    def salvaged(self, frame: bytes | msgspec.Raw, error: Exception) -> F:
        """The frame with its good rows; raises ``error``, for which it was refused, where that is not for a row's sake.

        A frame whose only row is bad is refused as a whole.
        """
        try:
            message = self._loose(frame)
        except REFUSALS:
            raise error from None
        holders = [message]
        for name in self._path[:-1]:
            values = [getattr(holder, name) for holder in holders]
            holders = [one for value in values for one in (value if isinstance(value, list) else [value])]
        lists = [holder if not self._path else getattr(holder, self._path[-1]) for holder in holders]
        read = self._read(lists) if all(isinstance(rows, list) for rows in lists) else []
        if not read or read[0].total < 2 or not any(rows.bad for rows in read):
            raise error
        if not self._path:
            return read[0]  # type: ignore[return-value]
        for holder, rows in zip(holders, read, strict=True):
            setattr(holder, self._path[-1], rows)
        return message  # type: ignore[no-any-return]

    def _read(self, lists: list[list[msgspec.Raw]]) -> list[Rows[Any]]:
        number, total, out = 0, sum(map(len, lists)), []
        for raws in lists:
            rows = Rows[Any]()
            rows.total = total
            for raw in raws:
                number += 1
                try:
                    rows.append(self._row(raw))
                    rows.numbers.append(number)
                except REFUSALS as error:
                    rows.bad.append((number, error))
            out.append(rows)
        return out


def joined(lists: Sequence[list[R]]) -> list[R]:
    """All rows of a frame that holds several lists of them."""
    if not any(isinstance(rows, Rows) for rows in lists):
        return [row for rows in lists for row in rows]
    out = Rows[R]()
    for rows in lists:
        out += rows
        if isinstance(rows, Rows):  # as all are, where one is
            out.numbers += rows.numbers
            out.bad += rows.bad
            out.total = rows.total
    return out


class RowTaking:
    """What every session does with the rows of a frame."""

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """What follows from a frame that cannot be read, or some rows of which cannot."""
        raise NotImplementedError

    def each(
        self,
        listed: list[R],
        take: Callable[[R], list[Output]],
        frame: bytes,
        received_ns: int,
        ordered: Iterable[R] | None = None,
    ) -> list[Output]:
        """What follows from the rows of a frame, ``ordered`` where that is not how the venue lists them.

        ``take`` changes nothing where it raises one of ``REFUSALS``: that row is lost, and no other. The frame is
        refused once, with an error that says which rows it is about. The error of an only row is raised.
        """
        if len(listed) == 1 and type(listed) is list:
            return take(listed[0])
        out: list[Output] = []
        bad: list[tuple[R, Exception]] | None = None
        for row in listed if ordered is None else ordered:
            try:
                out += take(row)
            except REFUSALS as error:
                bad = bad or []
                bad.append((row, error))
        if bad is not None or type(listed) is Rows:
            out += self.refuse(_problem(listed, bad or []), frame, received_ns)
        return out


def _problem(listed: list[R], refused_rows: list[tuple[R, Exception]]) -> FrameError:
    numbers: Iterable[int] = listed.numbers if isinstance(listed, Rows) else range(1, len(listed) + 1)
    places = {id(row): number for row, number in zip(listed, numbers, strict=True)}
    bad = [(places[id(row)], error) for row, error in refused_rows]
    if isinstance(listed, Rows):
        return _summed_up([*listed.bad, *bad], listed.total)
    if len(listed) == 1:
        raise bad[0][1]
    return _summed_up(bad, len(listed))


def _summed_up(bad: list[tuple[int, Exception]], total: int) -> FrameError:
    """One error about all of them, with the reason of the first; of each other reason the first error too."""
    numbers: dict[str, list[int]] = {}
    details: dict[str, str] = {}
    bad.sort(key=lambda one: one[0])
    for number, error in bad:
        letter = refused(error, "", b"", 0, "")
        numbers.setdefault(letter.reason, []).append(number)
        details.setdefault(letter.reason, letter.error)
    text = "; ".join(f"{_named(numbers[reason], total)}: {detail}" for reason, detail in details.items())
    first = bad[0][1]
    if not isinstance(first, FrameError) or len(details) > 1:
        return FrameError(next(iter(details)), text)
    first.detail = text
    return first


def _named(numbers: list[int], total: int) -> str:
    shown = ", ".join(map(str, numbers[:_ROWS_NAMED]))
    more = f" and {len(numbers) - _ROWS_NAMED} more" if len(numbers) > _ROWS_NAMED else ""
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{more} of {total}"


def _loosened(hint: Any, row_type: object) -> Any:
    """The same type with raw text in place of each row."""
    if hint is row_type:
        return msgspec.Raw
    if args := get_args(hint):
        if is_union := get_origin(hint) in (Union, UnionType):
            args = tuple(arg for arg in args if arg is not row_type)  # a row that stands alone is no row of a list
        loose = tuple(_loosened(arg, row_type) for arg in args)
        if loose == get_args(hint):
            return hint
        return reduce(or_, loose) if is_union else get_origin(hint)[loose]
    if not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return hint
    hints = get_type_hints(hint, include_extras=True)
    loose_fields = []
    for field in msgspec.structs.fields(hint):
        if (loose_inner := _loosened(hints[field.name], row_type)) is not hints[field.name]:
            again = msgspec.field(name=field.encode_name, default=field.default)
            loose_fields.append((field.name, loose_inner, again))
    if not loose_fields:
        return hint
    return msgspec.defstruct(f"Loose{hint.__name__}", loose_fields, bases=(hint,), kw_only=True)
