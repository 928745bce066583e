"""Run by the Python of nautilus_trader: its own data clients on recorded frames, from a frame's bytes to its engine.

    nautilus_client.py < JOB

JOB: {"market", "kind", "symbol", "to_bytes", "repeats", "before": [text], "frames": [text]}. Answers {"seconds",
"messages"}: CPU seconds of the whole process for all the frames, once for each repeat; and how many messages its engine
published in the last. A frame is given to the handler that the client's WebSocket calls; what the client makes of it
goes through the data engine to the message bus, which applies deltas to the engine's own book and, where ``to_bytes``,
has its serializer write each message for a listener, as it does for Redis.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec
from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
from nautilus_trader.adapters.binance.common.schemas.market import BinanceDepth
from nautilus_trader.adapters.binance.config import BinanceDataClientConfig
from nautilus_trader.adapters.binance.factories import get_cached_binance_http_client
from nautilus_trader.adapters.binance.futures.data import BinanceFuturesDataClient
from nautilus_trader.adapters.binance.spot.data import BinanceSpotDataClient
from nautilus_trader.adapters.bybit.common.enums import BybitProductType
from nautilus_trader.adapters.bybit.config import BybitDataClientConfig
from nautilus_trader.adapters.bybit.data import BybitDataClient
from nautilus_trader.adapters.bybit.factories import get_bybit_http_client
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.model.currencies import USDT, XRP
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.serialization.serializer import MsgSpecSerializer

NOWHERE = "ws://127.0.0.1:9"  # no client connects
KINDS = {"book": "deltas", "trade": "trades", "quote": "quotes"}  # as its topics call them


class Listener:
    """Takes what the bus publishes to the outside, in the place of Redis."""

    def is_closed(self) -> bool:
        return False

    def publish(self, topic: str, payload: bytes) -> None: ...


class Line:
    """A data client, the engine that it feeds and the bus behind it."""

    def __init__(self, market: str, kind: str, symbol: str, to_bytes: bool) -> None:
        self.clock, loop = LiveClock(), asyncio.new_event_loop()
        serializer = MsgSpecSerializer(encoding=msgspec.json, timestamps_as_str=True)  # as its kernel makes it
        self.bus = MessageBus(trader_id=TraderId("RIVAL-001"), clock=self.clock, serializer=serializer)
        if to_bytes:
            self.bus.add_listener(Listener())
        self.cache = Cache()
        self.engine = DataEngine(self.bus, self.cache, self.clock)
        parts = {"loop": loop, "msgbus": self.bus, "cache": self.cache, "clock": self.clock}
        self.instrument, self.take = MARKETS[market](self, parts, symbol)
        self.published = 0
        topic = f"data.book.deltas.{self.instrument.venue}.{self.instrument.symbol}"
        if kind == "book":
            self.engine._create_new_book(self.instrument, BookType.L2_MBP)
            self.bus.subscribe(topic, self.engine._update_order_book, priority=10)
        else:
            topic = f"data.{KINDS[kind]}.{self.instrument.venue}.{self.instrument.symbol}"
        self.bus.subscribe(topic, self._count)

    def _count(self, _: object) -> None:
        self.published += 1

    def joined(self, text: bytes) -> None:
        """An answer of Binance's REST book, as the client makes deltas of it."""
        depth = msgspec.json.decode(text, type=BinanceDepth)
        self.engine.process(depth.parse_to_order_book_snapshot(self.instrument, self.clock.timestamp_ns()))


Made = tuple[InstrumentId, Callable[[bytes], None]]


def binance(account: BinanceAccountType, line: Line, parts: dict[str, object], symbol: str) -> Made:
    futures = account.is_futures
    http = get_cached_binance_http_client(line.clock, account, "key", "secret", base_url="http://127.0.0.1:9")
    client = (BinanceFuturesDataClient if futures else BinanceSpotDataClient)(
        **parts, client=http, instrument_provider=InstrumentProvider(), base_url_ws=NOWHERE,
        config=BinanceDataClientConfig(account_type=account), account_type=account,
    )  # fmt: skip
    return client._get_cached_instrument_id(symbol), client._handle_ws_message


def bybit(line: Line, parts: dict[str, object], symbol: str) -> Made:
    product = BybitProductType.LINEAR
    client = BybitDataClient(
        **parts, client=get_bybit_http_client(line.clock, "key", "secret"), instrument_provider=InstrumentProvider(),
        product_types=[product], ws_base_urls={product: NOWHERE},
        config=BybitDataClientConfig(api_key="key", api_secret="secret"), name=None,
    )  # fmt: skip
    instrument = client._get_cached_instrument_id(symbol, product)
    line.cache.add_instrument(_xrp_perpetual(instrument, symbol))
    return instrument, partial(client._handle_ws_message, product)


def _xrp_perpetual(instrument: InstrumentId, symbol: str) -> CryptoPerpetual:
    """Its Bybit client asks an instrument for the precision of its prices; of XRPUSDT."""
    return CryptoPerpetual(
        instrument_id=instrument, raw_symbol=Symbol(symbol), base_currency=XRP, quote_currency=USDT,
        settlement_currency=USDT, is_inverse=False, price_precision=4, size_precision=0,
        price_increment=Price.from_str("0.0001"), size_increment=Quantity.from_str("1"),
        margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=Decimal(0), taker_fee=Decimal(0),
        ts_event=0, ts_init=0,
    )  # fmt: skip


MARKETS: dict[str, Callable[[Line, dict[str, object], str], Made]] = {
    "binance spot": partial(binance, BinanceAccountType.SPOT),
    "binance usdm": partial(binance, BinanceAccountType.USDT_FUTURES),
    "bybit": bybit,
}


def main() -> None:
    job = json.load(sys.stdin)
    before, frames = ([text.encode() for text in job[name]] for name in ("before", "frames"))
    seconds, published = [], 0
    for _ in range(job["repeats"]):
        line = Line(job["market"], job["kind"], job["symbol"], job["to_bytes"])
        for text in before:
            (line.joined if b'"lastUpdateId"' in text[:40] else line.take)(text)
        already, take, began = line.published, line.take, time.process_time()
        for text in frames:
            take(text)
        seconds.append(time.process_time() - began)
        published = line.published - already
    print(json.dumps({"seconds": seconds, "messages": published}))


main()
