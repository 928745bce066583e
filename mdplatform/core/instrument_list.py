"""A venue's instrument list, read row by row: what one row lacks costs that row, never the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from mdplatform.core.decimals import check_positive, plain
from mdplatform.core.errors import UNREADABLE, FrameError, reason_of
from mdplatform.core.events import DeadLetter
from mdplatform.core.symbols import Instrument, Kind

# A row of what the venue never stated: what its dates and numbers are turned into raises these, too.
_REFUSALS = (FrameError, *UNREADABLE, ValueError, ArithmeticError, OSError)
_DATED = (Kind.FUTURE, Kind.OPTION)
_YEARS = ("2009", "2099")  # an instrument that expires outside of them states no expiry

A = TypeVar("A")
T = TypeVar("T")

_read_text = msgspec.json.Decoder(str).decode
ABSENT = msgspec.Raw(b"null")


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that states no instrument: ``reason`` and ``detail`` as a FrameError's, ``row`` as it came."""

    reason: str
    detail: str
    row: bytes


class InstrumentList(msgspec.Struct, frozen=True):
    """One list of a venue: what it states, and the rows of it that could not be read."""

    instruments: list[Instrument]
    refused: list[RefusedRow] = []

    def letters(self, exchange: str, received_ns: int, conn: str = "") -> list[DeadLetter]:
        """The refused rows as they are published."""
        return [DeadLetter(exchange, row.reason, row.detail, row.row, received_ns, conn) for row in self.refused]


def decoded(read: Callable[[A], T], answer: A, problem: str) -> T:
    """What ``read`` makes of an answer; raises FrameError, with what the ``problem`` is, where it cannot be read."""
    try:
        return read(answer)
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"{problem}: {error}") from None


def read_rows(rows: Iterable[msgspec.Raw], read: Callable[[msgspec.Raw], Instrument | None]) -> InstrumentList:
    """Each row by itself. ``read`` decodes one: None leaves it out by design, what it raises refuses the row."""
    listed: list[Instrument] = []
    refused: list[RefusedRow] = []
    for row in rows:
        try:
            instrument = read(row)
            if instrument is not None:
                listed.append(_checked(instrument))
        except _REFUSALS as error:
            refused.append(refused_row(error, row))
    return InstrumentList(listed, refused)


def refused_row(error: Exception, row: msgspec.Raw) -> RefusedRow:
    """As one that raised ``error``."""
    return RefusedRow(*reason_of(error), bytes(row))


def stated(raw: msgspec.Raw) -> str | None:
    """The text of a field that nothing depends on, such as a status; None where it holds none."""
    try:
        return _read_text(raw) or None
    except UNREADABLE:
        return None


def amount(raw: msgspec.Raw) -> str | None:
    """The number above zero of a field that no size depends on, such as a tick; None where it holds none."""
    try:
        number = plain(raw)
        check_positive(number)
    except (FrameError, UnicodeDecodeError):
        return None
    return number


def unit(raw: msgspec.Raw) -> str | None:
    """The unit of so many decimals, 0 to 18, as a number or its text: 2 is 0.01. None where it holds no such number."""
    places = bytes(raw).strip(b'"')
    if not (places.isdigit() and len(places) <= 2 and int(places) <= 18):
        return None
    return "1" if int(places) == 0 else f"0.{'1':0>{int(places)}}"


def required(text: str | None, what: str) -> str:
    """``text``; raises FrameError where a row states no ``what``."""
    if not text:
        raise FrameError("wrong_shape", f"a row without {what}")
    return text


def kind_of(text: str | None, what: str) -> str:
    """The venue's word for a kind, which may be one that it invented since; raises FrameError for what is no word."""
    if not required(text, what)[:1].isalpha():
        raise FrameError("wrong_shape", f"{str(text)[:40]!r} is no {what}")
    return str(text)


def _checked(row: Instrument) -> Instrument:
    """``row`` with what anything depends on as it must be; raises FrameError.

    A tick or step that is no number above zero is none: pairs that do not trade yet, or no more, come like that.
    """
    for what, text in (("symbol", row.venue_symbol), ("base", row.base), ("quote", row.quote)):
        required(text, what)
    check_positive(*filter(None, (row.contract_size, row.multiplier)))
    if row.kind in _DATED and not (
        row.expiry is not None
        and len(row.expiry) == 8
        and row.expiry.isdecimal()
        and _YEARS[0] <= row.expiry[:4] <= _YEARS[1]
    ):
        raise FrameError("bad_time", f"{row.venue_symbol[:40]!r} expires at no date: {row.expiry}")
    if row.kind is Kind.OPTION:
        check_positive(required(row.strike, "strike"))
        required(row.right, "right")
    tick, step = _number(row.tick), _number(row.step)
    return row if tick is row.tick and step is row.step else replace(row, tick=tick, step=step)


def _number(text: str | None) -> str | None:
    try:
        check_positive(*filter(None, (text,)))
    except FrameError:
        return None
    return text or None
