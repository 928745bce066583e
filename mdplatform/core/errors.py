"""What can go wrong, as types that carry data.

MdplatformError
├── ConfigError        a setting, option or file is wrong: nobody can retry it away
├── FrameError         a frame that its venue could not have sent, or that we cannot read
│   └── UnknownInstrument   well formed, but the instrument list does not know the symbol
├── MessageError       a message of a topic that can be read, and cannot be true
├── FeedError          a socket or REST call failed
│   └── RestError      the venue answered with an HTTP error
├── BusError           the broker refused or lost something
│   └── BrokenBus      for good: this producer can do no more, another one may
├── WarehouseError     ClickHouse refused a statement
├── ArchiveError       a file or manifest does not say what it should
└── AlertError         an alert could not be delivered
"""

from __future__ import annotations

import msgspec

# What decoding JSON raises at bytes that are none, or not of the type that is requested. Text that is not UTF-8 and
# nesting deeper than anybody writes are no DecodeError to msgspec.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class MdplatformError(Exception):
    """Base of every error that we raise on purpose."""


class ConfigError(MdplatformError):
    """A setting, option or file is wrong; the message says which and what would be right."""


class FrameError(MdplatformError):
    """A frame is refused: ``reason`` is a short stable word for counting, ``detail`` says what was wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class UnknownInstrument(FrameError):
    """The venue's instrument list has no such symbol."""

    def __init__(self, exchange: str, venue_symbol: str) -> None:
        super().__init__("unknown_instrument", f"{exchange} has no instrument {venue_symbol!r} in its list")
        self.exchange = exchange
        self.venue_symbol = venue_symbol


class Overfull(FrameError):
    """A frame or an answer of so many bytes that holds far more than any venue sends; see ``bounds``."""

    def __init__(self, size: int) -> None:
        super().__init__("too_many_levels", f"{size:,} bytes of far more levels than a venue has")
        self.size = size


class MessageError(MdplatformError):
    """A message is passed over: ``reason`` is a short stable word for counting, ``detail`` says what was wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class FeedError(MdplatformError):
    """A connection to a venue failed; trying again may help."""


class RestError(FeedError):
    """A venue answered a REST call with an HTTP error status."""

    def __init__(self, path: str, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(path, status, retry_after_s)
        self.path = path
        self.status = status
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        wait = "" if self.retry_after_s is None else f", retry after {self.retry_after_s:g} s"
        return f"HTTP {self.status} from {self.path}{wait}"


class BusError(MdplatformError):
    """The broker refused a message or could not be reached."""


class BrokenBus(BusError):
    """The broker no longer knows what it acknowledged, or lets this producer write no more; another one may.

    ``since_ns``: when it was last found to be away, None if never; what it acknowledged shortly before may be lost.
    """

    def __init__(self, text: str, since_ns: int | None = None) -> None:
        super().__init__(text)
        self.since_ns = since_ns


class WarehouseError(MdplatformError):
    """ClickHouse refused a statement or could not be reached."""


class AlertError(MdplatformError):
    """The webhook for alerts did not take a message."""


class ArchiveError(MdplatformError):
    """An archive file or manifest is missing, damaged or disagrees with its source."""


def reason_of(error: Exception) -> tuple[str, str]:
    """(reason, detail) of what raised while a frame, a part of one, or a message was read."""
    if isinstance(error, FrameError | MessageError):
        return error.reason, error.detail
    not_json = isinstance(error, UNREADABLE) and not isinstance(error, msgspec.ValidationError)
    return "not_json" if not_json else "wrong_shape", str(error) or type(error).__name__


def is_retryable(error: BaseException) -> bool:
    """Whether the same action may succeed later without anybody changing anything.

    HTTP 4xx other than 408, 418 and 429 is the caller's fault and stays so.
    """
    if isinstance(error, RestError):
        return error.status in (408, 418, 429) or error.status >= 500
    return isinstance(error, (FeedError, BusError, WarehouseError, OSError, TimeoutError))
