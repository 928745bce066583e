"""Deribit's channels, and which of them an instrument has."""

from __future__ import annotations

from msgspec.structs import replace

from mdplatform.core.session import Channel, ChannelKind
from mdplatform.core.symbols import Instrument, Kind

EXCHANGE = "deribit"

_CHAIN = "whole from its snapshot on: each change names the change_id before it; how many are missing is not stated"
_TOP = "each message is a whole top 20; one that is lost does not show"
_NUMBERED = "whole: trade_seq counts up by one an instrument; what is missing is requested by REST"
_LOGIN = "; needs a login"
_FLAGS = "no feed of its own: trades that bear the flag, which the socket may leave out"
_STATE = "none: each message states what holds now"

BOOK = Channel("book.100ms", "book", _CHAIN, 5.0)
BOOK_AGG2 = Channel("book.agg2", "book", _CHAIN, 10.0)
BOOK_RAW = Channel("book.raw", "book", _CHAIN + _LOGIN, 5.0)
TOP = Channel("book.none.20.100ms", "book", _TOP, 5.0)
TOP_AGG2 = Channel("book.none.20.agg2", "book", _TOP, 10.0)
TRADES = Channel("trades.100ms", "trades", _NUMBERED)
TRADES_RAW = Channel("trades.raw", "trades", _NUMBERED + _LOGIN)
FLAGGED = Channel("liquidations.100ms", "liquidations", _FLAGS)
POLLED = Channel("liquidations.rest", "liquidations", _FLAGS + ", and by REST each minute as the numbers go on")
_INTEREST = "; which sides open interest counts is not stated"
TICKER = Channel("ticker.100ms", "funding", _STATE + _INTEREST)
TICKER_AGG2 = Channel("ticker.agg2", "funding", _STATE + _INTEREST)
PERPETUAL = Channel("perpetual.100ms", "funding", _STATE + ": the index price only, its interest is no rate")
QUOTE = Channel("quote", "bbo", _STATE)
_INDEX = "on request, once a second: each message states what holds now; one that is lost does not show"
PRICE_INDEX = Channel("deribit_price_index", "index", f"of perpetuals, {_INDEX}", cadence_s=1.0)
VOLATILITY = Channel("deribit_volatility_index", "index", f"DVOL of BTC and ETH, {_INDEX}", cadence_s=1.0)

CHANNELS = (
    *(BOOK, BOOK_AGG2, BOOK_RAW, TOP, TOP_AGG2),
    *(TRADES, TRADES_RAW, POLLED, FLAGGED, TICKER, TICKER_AGG2, PERPETUAL, QUOTE, PRICE_INDEX, VOLATILITY),
)

# First part of a stream's name -> the feeds that it brings.
BRINGS: dict[str, tuple[ChannelKind, ...]] = {
    "book": ("book",),
    "trades": ("trades", "liquidations"),
    "ticker": ("funding",),
    "perpetual": ("funding",),
    "quote": ("bbo",),
    PRICE_INDEX.name: ("index",),
    VOLATILITY.name: ("index",),
}
_VOLATILE = ("btc_usd", "eth_usd")


def needs_login(stream: str) -> bool:
    return stream.endswith(".raw")


def stream(channel: Channel, venue_symbol: str) -> str:
    """The name to subscribe to: `book.100ms` of an instrument is `book.BTC-PERPETUAL.100ms`."""
    if channel.kind == "index":
        return f"{channel.name}.{index_of(venue_symbol)}"
    head, dot, rest = (TRADES if channel.kind == "liquidations" else channel).name.partition(".")
    return f"{head}.{venue_symbol}{dot}{rest}"


def index_of(venue_symbol: str) -> str:
    """The index of a perpetual: `btc_usd` of BTC-PERPETUAL, `eth_usdc` of ETH_USDC-PERPETUAL."""
    pair = venue_symbol.partition("-")[0].lower()
    return pair if "_" in pair else f"{pair}_usd"


def channels_of(instrument: Instrument, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those that this instrument has. Hours of silence are normal in an option's book."""
    if instrument.kind is Kind.SPOT:
        channels = tuple(channel for channel in channels if channel.kind not in ("liquidations", "funding"))
    if instrument.kind is not Kind.PERPETUAL:
        channels = tuple(channel for channel in channels if channel is not PERPETUAL and channel.kind != "index")
    elif index_of(instrument.venue_symbol) not in _VOLATILE:
        channels = tuple(channel for channel in channels if channel is not VOLATILITY)
    if instrument.kind is Kind.OPTION:
        channels = tuple(replace(channel, stale_after_s=None) for channel in channels)
    return channels
