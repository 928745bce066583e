"""Book messages for the tests of the consumers."""

from mdplatform.core.codec import encode
from mdplatform.core.events import Book
from mdplatform.core.messages import BookMessage, decode_book

START_MS = 1_795_000_000_000


def message(
    bid: str = "100.0",
    ask: str = "102.0",
    at_s: float = 0,
    sequence: int = 1,
    symbol: str = "BTC-USDT",
    exchange: str = "binance",
    sizes: tuple[str, str] = ("3", "1"),
) -> bytes:
    """One book of one level a side as it lies on its topic; an empty price is an empty side."""
    venue_ns = (START_MS + int(at_s * 1000)) * 1_000_000
    bids, asks = ([bid], [sizes[0]]) if bid else ([], []), ([ask], [sizes[1]]) if ask else ([], [])
    return encode(Book(exchange, symbol, *bids, *asks, venue_ns, sequence, None, venue_ns))[1]


def book(mid: float, at_s: float = 0, sequence: int = 1, symbol: str = "BTC-USDT") -> BookMessage:
    """A book around ``mid``."""
    return decode_book(message(f"{mid - 0.5}", f"{mid + 0.5}", at_s, sequence, symbol))
