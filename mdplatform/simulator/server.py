"""The simulator on a port: WebSockets and REST of every venue, and the control paths under /_sim.

Paths: `/stream`, `/ws` and `/api/v3` are Binance's as they are; every venue also answers under its own prefix
(`/binance`, `/coinbase`, `/coinbase-advanced`), which is what the addresses of the handle hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from mdplatform.core.clock import Clock, SystemClock
from mdplatform.core.errors import ConfigError
from mdplatform.core.private import overwritten_file
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.control import Control
from mdplatform.simulator.faults.scheduler import FaultScheduler
from mdplatform.simulator.protocol.connection import Connection
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.limits import Bucket
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.world import World

log = logging.getLogger(__name__)

_PLAIN = "binance"  # the venue that answers without a prefix
_CLOSE_WITHIN_S = 1.0
_MESSAGE_BYTES = 1 << 20  # of a client; longer ones close the connection


class Simulator:
    """A running simulator. Close it with `close()`, or use it as an async context manager."""

    def __init__(self, config: SimulatorConfig, clock: Clock | None = None) -> None:
        self.config, self.clock = config, clock or SystemClock()
        start_ns = self.clock.now_ns()
        self._ledger = None if config.truth_file is None else _opened(config)
        self.world = World(config, start_ns, self._ledger)
        self.faults = FaultScheduler(self.world, config.faults, start_ns)
        self.started_ns = start_ns
        self.port = 0
        self.busy = 0.0  # share of a core that the clock took during the last second
        self._control = Control(self.world, self.faults, self._about)
        self._server = web.ServerRunner(web.Server(self._request, access_log=None), shutdown_timeout=_CLOSE_WITHIN_S)
        self._clock: asyncio.Task[None] | None = None
        self._connections: set[Connection] = set()
        self._peers = 0

    async def start(self) -> None:
        """Listen, then let time run. ConfigError when the port is taken."""
        config = self.config
        await self._server.setup()
        try:
            await web.TCPSite(self._server, config.host, config.port).start()
        except OSError as error:
            await self._server.cleanup()
            raise ConfigError(f"the simulator cannot listen on {config.host}:{config.port}: {error}") from None
        self.port = self._server.addresses[0][1]
        self._clock = asyncio.create_task(self._run())
        for venue, exchange in self.world.exchanges.items():
            exchange.address = self.ws_url(venue)
        log.info("simulating %s on port %d", ", ".join(self.world.exchanges), self.port)

    async def close(self) -> None:
        await self._end_clock()
        await asyncio.gather(*(connection.end() for connection in self._connections))
        await self._server.cleanup()
        if self._ledger is not None:
            self._ledger.close()

    async def stop_at_an_edge(self) -> None:
        """Stop the markets at the next edge, with everything published that was due; clients stay connected."""
        await self._end_clock()
        step_ns = int(self.config.batch_s * 1e9)
        now_ns = self.clock.now_ns()
        self._publish(now_ns - now_ns % step_ns + step_ns)

    async def __aenter__(self) -> Simulator:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def wait(self) -> None:
        """Run until cancelled; raises what broke the clock, if anything did."""
        if self._clock is not None:
            await self._clock

    @property
    def url(self) -> str:
        return f"http://{self.config.host}:{self.port}"

    def ws_url(self, venue: str) -> str:
        """What `--ws-url` takes: the venue's own paths are appended to it."""
        return f"ws://{self.config.host}:{self.port}/{venue}"

    def rest_url(self, venue: str) -> str:
        """What `--rest-url` takes."""
        return f"{self.url}/{venue}"

    def urls(self) -> dict[str, dict[str, str]]:
        return {venue: {"ws": self.ws_url(venue), "rest": self.rest_url(venue)} for venue in self.world.exchanges}

    # --- time

    async def _run(self) -> None:
        """The clock of the simulation."""
        worked, since = 0.0, time.perf_counter()
        while True:
            began = time.perf_counter()
            if began - since >= 1:
                self.busy, worked, since = round(worked / (began - since), 4), 0.0, began
            now_ns = self.clock.now_ns()
            self._publish(now_ns)
            for exchange in self.world.exchanges.values():
                exchange.tick(now_ns)
            self.faults.tick(now_ns)
            worked += time.perf_counter() - began
            await asyncio.sleep(self.config.tick_s)

    def _publish(self, until_ns: int) -> None:
        exchanges = self.world.exchanges
        for frame in self.world.step(until_ns):
            exchanges[frame.venue].publish(frame)

    async def _end_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clock

    # --- requests

    async def _request(self, request: web.BaseRequest) -> web.StreamResponse:
        url = urlsplit(request.raw_path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if url.path.startswith("/_sim"):
            return _response(self._control.respond(url.path, query, self.clock.now_ns()))
        exchange, path = self._route(url.path)
        if exchange is None:
            return _response(Answer(404, b'{"message":"no venue answers here"}'))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            status = exchange.admit(self.clock.now_ns()) if exchange.accepts(path) else 404
            if status != 101:
                return _response(_refusal(exchange, status))
            return await self._serve(request, exchange, path, query)
        body = await request.read() if request.method == "POST" else None
        return _response(exchange.rest(path, query, self.clock.now_ns(), body))

    def _route(self, path: str) -> tuple[Exchange | None, str]:
        """The venue that a path belongs to, with its own part of it; None where no venue answers without a prefix."""
        first, _, rest = path.lstrip("/").partition("/")
        if first in self.world.exchanges:
            return self.world.exchanges[first], f"/{rest}"
        return self.world.exchanges.get(_PLAIN), path

    async def _serve(
        self, request: web.BaseRequest, exchange: Exchange, path: str, query: dict[str, str]
    ) -> web.WebSocketResponse:
        """Serve a WebSocket until it is closed."""
        socket = web.WebSocketResponse(
            timeout=_CLOSE_WITHIN_S, autoping=False, compress=False, max_msg_size=_MESSAGE_BYTES
        )
        await socket.prepare(request)
        assert request.transport is not None  # the handshake is over
        connection = Connection(socket, request.transport, self.clock)
        self._peers += 1
        peer = Peer(connection, self._peers, self.clock.now_ns(), self.config.queue, Bucket(*exchange.limits.messages))
        peer.everywhere = exchange.frame_faults
        exchange.peers.add(peer)
        self._connections.add(connection)
        try:
            exchange.opened(peer, path, query)
            await connection.run(exchange, peer)
        finally:
            self._connections.discard(connection)
            exchange.closed(peer)
        return socket

    def _about(self, now_ns: int) -> dict[str, Any]:
        """What the status says of the server."""
        return {
            "uptime_s": (now_ns - self.started_ns) / 1e9,
            "seed": self.config.seed,
            "rate": self.config.rate,
            "urls": self.urls(),
            "busy": self.busy,
        }


async def serve(config: SimulatorConfig, clock: Clock | None = None) -> Simulator:
    """Start a simulator on the running loop; ConfigError for options that cannot be.

    ``clock``: what wire times are, instead of the machine's clock.
    """
    simulator = Simulator(config, clock)
    await simulator.start()
    return simulator


def run(config: SimulatorConfig, ready: Callable[[Simulator], None] | None = None) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `ready` is called once with the running simulator."""
    try:
        import uvloop
    except ImportError:  # no wheel on this platform
        asyncio.run(_until_signal(config, ready))
    else:
        uvloop.run(_until_signal(config, ready))


async def _until_signal(config: SimulatorConfig, ready: Callable[[Simulator], None] | None) -> None:
    async with await serve(config) as simulator:
        waiting = asyncio.ensure_future(simulator.wait())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, waiting.cancel)
        if ready is not None:
            ready(simulator)
        try:
            await waiting
        except asyncio.CancelledError:
            return


def _opened(config: SimulatorConfig) -> BinaryIO:
    assert config.truth_file is not None
    try:
        return overwritten_file(config.truth_file)
    except OSError as error:
        raise ConfigError(f"truth file {config.truth_file}: {error.strerror}") from None


def _refusal(exchange: Exchange, status: int) -> Answer:
    """The answer to a handshake that is refused."""
    seconds = exchange.retry_after_s if status == 503 else None
    headers = () if seconds is None else (("Retry-After", str(seconds)),)
    return Answer(status, b'{"message":"%d"}' % status, headers)


def _response(answer: Answer) -> web.Response:
    """Each answer ends its connection."""
    headers = {"Content-Type": "application/json;charset=UTF-8", **dict(answer.headers)}
    response = web.Response(status=answer.status, headers=headers, body=answer.body)
    response.force_close()
    return response
