"""What a driver does with a session that is not a venue's: one that misbehaves."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ClassVar

from websockets.asyncio.server import ServerConnection, serve

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Output, Reconnect, Request, Send
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform_tests.collector.rig import Running, collecting

Handler = Callable[[ServerConnection], Awaitable[None]]


class Clumsy:
    """Raises on frames and ticks that say so, and gives up its connection when it reads ``leave``."""

    exchange = "clumsy"
    ignored: ClassVar[Counter[str]] = Counter()

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        return [Send(b"hello")]

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        if frame == b"leave":
            return [Reconnect("asked")]
        if frame.startswith(b"bug"):
            raise KeyError("not thought of")
        return []

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        return []

    def tick(self, now_ns: int) -> list[Output]:
        raise ZeroDivisionError("tick")

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        return []


class ClumsyVenue:
    """Lists one instrument, opens two lines."""

    id = "clumsy"
    ws_url = rest_url = ""
    channels = (Channel("x", "book", "none"),)
    default_channels = ("x",)
    rest_budget = connect_budget = (100, 1.0)
    used_weight_header = lifetime_s = None
    max_frame_bytes = None
    liquidations = "none"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request("/list"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        if body != b"BTC-USD":
            raise FrameError("wrong_shape", "no list")
        return InstrumentList([Instrument(exchange="clumsy", venue_symbol="x", base="BTC", quote="USD")])

    def known_instruments(self) -> Instruments:
        return Instruments("clumsy")

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        return [ConnectionPlan("", f"/{number}", Clumsy()) for number in range(2)]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> Clumsy:
        return Clumsy()


async def run(handler: Handler, check: Callable[[Running], Awaitable[None]]) -> Running:
    """A collector of the clumsy venue, whose lines ``handler`` serves, until ``check`` is through."""

    def listed(socket: ServerConnection, request: object) -> object:
        return socket.respond(200, "BTC-USD") if request.path == "/list" else None  # type: ignore[attr-defined]

    async with serve(handler, "127.0.0.1", 0, process_request=listed) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        config = CollectorConfig(
            venue="clumsy",
            symbols=("BTC-USD",),
            ws_url=f"ws://127.0.0.1:{port}",
            rest_url=f"http://127.0.0.1:{port}",
        )
        async with collecting(config, MemoryBus(), venue=ClumsyVenue()) as collector:
            await check(collector)
            return collector


async def test_a_frame_that_raises_is_kept_and_reading_goes_on() -> None:
    async def handler(socket: ServerConnection) -> None:
        for frame in ("bug 1", "fine", "bug 2"):
            await socket.send(frame)
        await socket.wait_closed()

    async def check(collector: Running) -> None:
        await collector.until(lambda: len(letters(collector, "receive")) == 4)

    collector = await run(handler, check)
    assert {row["frame"] for row in letters(collector, "receive")} == {"bug 1", "bug 2"}
    assert collector.rows("md.dead_letter")[0]["reason"] == "internal_error"


async def test_a_tick_that_raises_is_logged_once_a_session_and_ends_nothing() -> None:
    async def check(collector: Running) -> None:
        await collector.until(lambda: len(collector.rows("md.feed.stats")) >= 4)

    collector = await run(lambda socket: socket.wait_closed(), check)
    assert len(letters(collector, "tick")) == 2
    assert collector.rows("md.feed.stats")[-1]["reconnects"] == 0


async def test_one_lines_trouble_does_not_touch_the_other() -> None:
    opened: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        opened.append(socket.request.path)
        if socket.request.path == "/0":
            socket.transport.abort()
        await socket.wait_closed()

    async def check(collector: Running) -> None:
        await collector.until(lambda: opened.count("/0") >= 3)

    await run(handler, check)
    assert opened.count("/1") == 1


async def test_a_session_that_gives_up_its_connection_gets_another() -> None:
    greetings: asyncio.Queue[str] = asyncio.Queue()

    async def handler(socket: ServerConnection) -> None:
        greetings.put_nowait(str(await socket.recv()))
        await socket.send("leave")
        await socket.wait_closed()

    async def check(collector: Running) -> None:
        await collector.until(lambda: greetings.qsize() >= 4)

    await run(handler, check)
    assert {greetings.get_nowait() for _ in range(4)} == {"hello"}


def letters(collector: Running, where: str) -> list[dict[str, str]]:
    return [row for row in collector.rows("md.dead_letter") if f" in {where}:" in row["error"]]


async def test_a_line_waits_for_as_long_as_a_refused_handshake_asks() -> None:
    times: list[float] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    def answered(socket: ServerConnection, request: object) -> object:
        if request.path == "/list":  # type: ignore[attr-defined]
            return socket.respond(200, "BTC-USD")
        times.append(asyncio.get_running_loop().time())
        if len(times) > 1:
            return None
        response = socket.respond(429, "slow down\n")
        response.headers["Retry-After"] = "1"
        return response

    async with serve(handler, "127.0.0.1", 0, process_request=answered) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        config = CollectorConfig(
            venue="clumsy",
            symbols=("BTC-USD",),
            ws_url=f"ws://127.0.0.1:{port}",
            rest_url=f"http://127.0.0.1:{port}",
        )
        async with collecting(config, MemoryBus(), venue=ClumsyVenue()) as collector:
            await collector.until(lambda: len(times) >= 3)
            await collector.until(lambda: any(row["limits_met"] for row in collector.rows("md.feed.stats")))
    assert times[-1] - times[0] >= 0.95
