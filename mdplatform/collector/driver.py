"""One session and its socket: reports every event to the session and does what it returns."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from mdplatform.collector.counters import Counters
from mdplatform.collector.publisher import EventPublisher
from mdplatform.collector.status_handover import StatusHandover
from mdplatform.core.bounds import HEAD_BYTES, is_overfull
from mdplatform.core.clock import Clock
from mdplatform.core.errors import BusError, ConfigError, FeedError, FrameError, Overfull
from mdplatform.core.events import Book, DeadLetter, Event, FeedStatus, RawFrame, Trade
from mdplatform.core.session import (
    Fetch,
    HasSocketPath,
    Listed,
    NeedsTicket,
    Output,
    Progress,
    Reconnect,
    RedactsFrames,
    Request,
    Send,
    Session,
    Subscribing,
    refused,
)
from mdplatform.core.settings import hide
from mdplatform.feed.backoff import Backoff
from mdplatform.feed.connection import TOO_LARGE, Connection, Lost, open_connection
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import WAIT_S, RestClient

log = logging.getLogger(__name__)

TICK_S = 0.2
UNOPENED = 5  # attempts in a row: then a socket is taken for one that cannot be opened
PROGRESS_S = 5.0  # between two lines of the log on subscriptions that are not complete
# The share of the venue's lifetime after which a connection is renewed; drawn, so that many lines do not go at once.
RENEW_FROM, RENEW_TO = 0.90, 0.97
SNAPSHOT_FIRST = {"snapshot": 0}  # request purpose -> priority; everything else can wait
LATER = 1


@dataclass(frozen=True)
class Shared:
    """What all lines of a collector share."""

    publisher: EventPublisher
    clock: Clock
    rest: RestClient
    connects: Budget
    lifetime_s: float | None
    max_frame_bytes: int | None
    headers: Mapping[str, str]  # of the request that opens a connection
    keep_raw: bool
    keep_answer: Callable[[Request, bytes, int], None]  # called with every REST answer that a session receives
    on_status: Callable[[FeedStatus], None]  # called with every status that is published


class _ProgressLog:
    """Logs the progress of a connection's subscriptions until they are complete, and each refusal.

    Each line once: an operator who starts 300 symbols sees the progress.
    """

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._conn = ""
        self._next_s = 0.0

    def look(self, conn: str, progress: Progress, now_s: float) -> None:
        if conn == self._conn and progress == self._last:
            return
        before = self._last.refused if self._last is not None else {}
        for name, reason in progress.refused.items():
            if before.get(name) != reason:
                log.warning("%s: %s is not collected: %s", conn, name, reason)
        if not progress.is_complete and conn == self._conn and now_s < self._next_s:
            return
        self._last, self._conn, self._next_s = progress, conn, now_s + PROGRESS_S
        if progress.wanted:
            log.info("%s: %d of %d subscriptions are acknowledged", conn, progress.held, progress.wanted)


class Driver:
    """Keeps one session connected, from now until it is retired; reconnects with full jitter."""

    def __init__(self, url: str, session: Session, shared: Shared, counters: Counters, gate: StatusHandover) -> None:
        self.url, self.session, self.shared = url, session, shared
        self.counters, self.gate = counters, gate
        self._shown = session.shown if isinstance(session, RedactsFrames) else bytes
        self._path = session.path if isinstance(session, HasSocketPath) else None
        self.renewal = asyncio.Event()  # a successor is wanted, this connection still delivers
        self.lost = asyncio.Event()  # the connection was lost since it was cleared
        self.unopened = asyncio.Event()  # no connection could be opened, again and again
        self._failures = 0  # of that, in a row
        self._is_outlived = False
        self._wait_s = 0.0  # before the next connection, as the venue asked
        self.conn = ""
        self._number = 0
        self._seq = 0
        self._paused = False
        self._connection: Connection | None = None
        self._cause = "stopped"
        self._backoff = Backoff()
        self._known_errors: set[str] = set()
        self._progress = _ProgressLog()
        self._do_by_type: dict[type, Callable[[Any], None]] = {
            Send: self._send,
            Fetch: self._fetch,
            Reconnect: self._reconnect,
            FeedStatus: self._status,
            DeadLetter: self._dead_letter,
            Book: self._publish_timed,
            Trade: self._publish_timed,
        }
        self.task = asyncio.create_task(self._run())

    async def retire(self, cause: str) -> None:
        """Stop reading, let the session close its intervals with ``cause``, close the socket."""
        self._cause = cause
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def outlived(self) -> None:
        """Some of the session's symbols are no longer listed: it needs a successor, now or on a later connection."""
        self._is_outlived = True
        self.renewal.set()

    def relisted(self) -> None:
        """The venue's list has changed."""
        if self._connection is not None and isinstance(self.session, Listed):
            self._notify("relisted", self.shared.clock.now_ns())

    async def _run(self) -> None:
        ticker = asyncio.create_task(self._tick())
        try:
            while True:
                lasted_s = await self._connect()
                self._backoff.worked_for(lasted_s)
                self.counters.reconnects += 1
                await asyncio.sleep(max(self._backoff.next_s(), self._wait_s))
        finally:
            ticker.cancel()
            self._notify("closed", self._cause, self.shared.clock.now_ns())

    async def _connect(self) -> float:
        """One connection until it is lost; for how many seconds it was open. Raises BusError and ConfigError."""
        await self.shared.connects.spend()
        loop = asyncio.get_running_loop()
        opened = loop.time()
        cause = "internal_error"
        self._wait_s = 0.0
        try:
            url = await self._address()
            connection = await open_connection(url, self.shared.max_frame_bytes, headers=self.shared.headers)
            opened, self._failures = loop.time(), 0
            async with connection:
                await self._attend(connection)
        except Lost as lost:
            cause = lost.cause
            self._heed(lost)
            if lost.cause in TOO_LARGE:
                now_ns = self.shared.clock.now_ns()
                self._dead_letter(
                    refused(FrameError(lost.cause, lost.detail), self.session.exchange, b"", now_ns, self.conn)
                )
            if self._connection is None:
                self._failures += 1
            if self._failures >= UNOPENED:
                self.unopened.set()
            log.warning("%s: %s", self.conn or self.counters.line, lost)
        except (BusError, ConfigError):
            raise  # no other connection would fare better
        except Exception:  # one connection's trouble must not end the others
            self.counters.errors += 1
            log.exception("%s: unexpected error, reconnecting", self.conn)
        finally:
            self._connection = None
            self._paused = False
        self.renewal.clear()
        self.lost.set()
        self._notify("closed", cause, self.shared.clock.now_ns())
        return loop.time() - opened

    def _heed(self, lost: Lost) -> None:
        """A venue that refuses a connection may state for how long. All connections wait, successors too."""
        self._wait_s = lost.retry_after_s or 0.0
        self.shared.connects.block(self._wait_s)
        if lost.status in WAIT_S:
            self.counters.limits_met += 1

    async def _address(self) -> str:
        """The address to connect to, which some venues issue for each connection. Raises Lost."""
        if not isinstance(self.session, NeedsTicket):
            return self.url
        try:
            ticket = await self.shared.rest.get(self.session.ticket_request())
            return self.session.address(self.url, ticket)
        except (FeedError, FrameError) as error:
            raise Lost("no_ticket", str(error)) from None

    async def _attend(self, connection: Connection) -> None:
        """Subscribe and read until the connection is lost, which is raised."""
        self._number += 1
        self._seq = 0
        self.conn = f"{self.counters.line}#{self._number}"
        self._connection = connection
        self.renewal.clear()
        if self._is_outlived:
            self.renewal.set()
        renew = self._renew_later()
        try:
            self._notify("connected", self.conn, self.shared.clock.now_ns())
            log.info("%s: connected to %s", self.conn, hide(self.url))
            await self._read(connection)
        finally:
            renew.cancel()

    def _renew_later(self) -> asyncio.TimerHandle:
        lifetime_s = self.shared.lifetime_s or 10 * 365 * 86400.0
        return asyncio.get_running_loop().call_later(
            lifetime_s * random.uniform(RENEW_FROM, RENEW_TO), self.renewal.set
        )

    async def _read(self, connection: Connection) -> None:
        counters, bus, now_ns = self.counters, self.shared.publisher.bus, self.shared.clock.now_ns
        receive, take, look = connection.receive, self.session.receive, counters.sampler.look
        do, keep_raw = self._do, self.shared.keep_raw
        frames = deque[bytes]()
        while True:
            while not frames:
                frames = await receive()
            frame = frames.popleft()
            received_ns = now_ns()
            counters.frames += 1
            counters.bytes += len(frame)
            if keep_raw:
                self._keep(frame, received_ns)
            try:
                outputs = take(frame, received_ns)
            except Exception as error:  # noqa: BLE001 - a bug must not lose the frame
                outputs = self._bug(error, "receive", frame, received_ns)
            do(outputs)
            example = look(frame, received_ns, self.conn)
            if example is not None:
                self.shared.publisher.publish(replace(example, frame=self._shown(frame)))
            if not bus.has_room:
                # Nobody receives meanwhile: the socket's buffers fill up and the venue is held back.
                self._paused = True
                await bus.room()
                self._paused = False
                counters.paused_ns += now_ns() - received_ns

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            # While frames wait unread on purpose, the session would take the venue for silent.
            if not self._paused:
                self._notify("tick", self.shared.clock.now_ns())
            if self._connection is not None and isinstance(self.session, Subscribing):
                self._log_progress(self.session)

    def _log_progress(self, session: Subscribing) -> None:
        try:
            self._progress.look(self.conn, session.progress(), asyncio.get_running_loop().time())
        except Exception as error:  # noqa: BLE001 - without ticks nothing would be found stale
            self._do(self._bug(error, "progress", b"", self.shared.clock.now_ns()))

    def _notify(self, what: str, *details: Any) -> None:
        """Call the session and do what it returns; an error in it is counted, not passed on."""
        try:
            outputs: list[Output] = getattr(self.session, what)(*details)
        except Exception as error:  # noqa: BLE001 - as in _read
            frame = details[2] if what == "answer" else b""
            outputs = self._bug(error, what, frame, self.shared.clock.now_ns())
        self._do(outputs)

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            do = self._do_by_type.get(type(output))
            if do is not None:
                do(output)
            else:
                self._publish(output)  # type: ignore[arg-type]

    def _publish(self, event: Event) -> None:
        self.counters.events += 1
        self.shared.publisher.publish(event)

    def _publish_timed(self, event: Book | Trade) -> None:
        self.counters.events += 1
        self.counters.lags_ns.append(event.received_ns - event.venue_ns)
        self.shared.publisher.publish(event)

    def _status(self, status: FeedStatus) -> None:
        self.counters.gaps += self.gate.opens_gap(status)
        outgoing = self.gate.passed(status)
        if outgoing is not None:
            self.publish_status(outgoing)

    def publish_status(self, status: FeedStatus) -> None:
        self.shared.publisher.publish(status)
        self.shared.on_status(status)

    def _dead_letter(self, letter: DeadLetter) -> None:
        self.counters.dead_letters += 1
        self.shared.publisher.publish(letter)

    def _send(self, send: Send) -> None:
        if self._connection is not None:
            self._connection.send(send.frame, send.paced)

    def _fetch(self, fetch: Fetch) -> None:
        number = self._number

        def answered(request: Request, status: int, body: bytes, received_ns: int) -> None:
            # What an earlier connection asked for, this one asks for again.
            if number != self._number or self.task.done():
                return
            if status == 200 and is_overfull(body):
                overfull = Overfull(len(body))
                self._dead_letter(refused(overfull, self.session.exchange, body[:HEAD_BYTES], received_ns, self.conn))
                self._notify("answer", request, 0, str(overfull).encode(), received_ns)
                return
            if status == 200:
                self.shared.keep_answer(request, body, received_ns)
            self._notify("answer", request, status, body, received_ns)

        self.shared.rest.submit(fetch.request, answered, SNAPSHOT_FIRST.get(fetch.request.purpose, LATER))

    def _reconnect(self, wish: Reconnect) -> None:
        if wish.overlap:
            self.renewal.set()
        elif self._connection is not None:
            self._connection.drop(wish.cause, "given up by the session")

    def _keep(self, frame: bytes, received_ns: int) -> None:
        self._seq += 1
        shown, exchange = self._shown(frame), self.session.exchange
        self.shared.publisher.publish(RawFrame(exchange, self.conn, self._seq, received_ns, shown, path=self._path))

    def _bug(self, error: Exception, where: str, frame: bytes, now_ns: int) -> list[Output]:
        """An exception of our own code as a dead letter. Its traceback is logged the first time.

        Where no frame is to be kept (a tick), the first time is enough: it would be repeated forever.
        """
        self.counters.errors += 1
        text = f"{type(error).__name__} in {where}: {error}"
        is_new = text not in self._known_errors and len(self._known_errors) < 100
        if is_new:
            self._known_errors.add(text)
            log.error("%s: %s", self.conn, text, exc_info=error)
        letter = DeadLetter(self.session.exchange, "internal_error", text, self._shown(frame), now_ns, self.conn)
        return [letter] if is_new or frame else []
