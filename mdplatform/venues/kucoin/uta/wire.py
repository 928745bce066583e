"""What KuCoin's UTA push socket sends, as it names it; its frames are binary and hold JSON (probed 2026-10)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.venues.kucoin.wire import Id, levels

_Level = tuple[msgspec.Raw, msgspec.Raw]


class Book(msgspec.Struct, gc=False):
    """``O`` to ``C``: the numbers of the changes that a delta holds; a snapshot stands at ``C``."""

    s: str
    O: Id  # noqa: E741 - the venue's name of it
    C: Id
    M: int  # ns, of the matching
    a: Levels
    b: Levels


class _LooseBook(Book):
    a: list[_Level]  # type: ignore[assignment]  # sizes of contracts may be numbers
    b: list[_Level]  # type: ignore[assignment]


class BookPush(msgspec.Struct, gc=False):
    T: str  # obu.SPOT, obu.FUTURES
    t: Literal["snapshot", "delta"]
    d: Book


class _LoosePush(msgspec.Struct):
    T: str
    t: Literal["snapshot", "delta"]
    d: _LooseBook


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another."""

    T: str | None = None  # a push
    message: str | None = None  # the welcome, or why a request is refused
    pingInterval: Annotated[int, msgspec.Meta(gt=0)] | None = None  # ms
    type: str | None = None  # pong
    id: str | None = None
    result: bool | Literal["true", "false"] | None = None
    reason: str | None = None
    code: str | int | None = None


read_envelope = msgspec.json.Decoder(Envelope).decode
_read_book = msgspec.json.Decoder(BookPush).decode
_read_loose = msgspec.json.Decoder(_LoosePush).decode


def read_book(frame: bytes) -> BookPush:
    """Raises one of ``REFUSALS``."""
    try:
        push = _read_book(frame)
    except msgspec.ValidationError:
        loose = _read_loose(frame)
        book = loose.d
        push = BookPush(loose.T, loose.t, Book(book.s, book.O, book.C, book.M, levels(book.a), levels(book.b)))
    if push.d.C < push.d.O:
        raise FrameError("wrong_shape", f"number {push.d.O} is above the last, {push.d.C}")
    return push
