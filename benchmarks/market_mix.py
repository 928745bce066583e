"""Claim: one host takes its share of a live market at its mean, twice and four times that, with nothing lost.

    python -m benchmarks.market_mix [--minutes 10] [--share 0.04] [--times 1 2 4]

What six venues send a second, as measured live in October 2026 over all of their markets, is played from recordings
(``live_recordings``) by a process with a loopback server for each venue, at a share that fits on this machine, then at
multiples of it: the same symbols, each sending so much faster. A collector of each venue takes it, a process of its
own, and publishes to the embedded broker. Players and broker have one core, the six collectors another. Each multiple
starts from nothing and is measured after a warm-up. Lag is from the time in a frame, which is when the player sent it
(whole ms, cut off), to the acknowledgement of its message, as the collector's bus notes it. Lost are frames that were
sent and not taken, and messages that were accepted and not acknowledged, over the whole of a run. Exits with 1 where
something is lost, gaps, or falls behind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import uvloop
from aiohttp import WSMsgType, web

from benchmarks.live_recordings import FEEDS, LISTED, Feed, Key, Track, listing, tracks
from benchmarks.table import Cell, Table, process_cpu_seconds
from mdplatform.bus import BusStats
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import CollectorConfig, CollectorReport, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.events import FeedStats
from mdplatform.core.process import resident_bytes
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import Instrument
from mdplatform.embedded.broker import start_broker

SPAWN = get_context("spawn")
CORES = sorted(os.sched_getaffinity(0))
# Frames a second over all markets of a venue: public live measurement of October 2026; 60 venues together sent 64,000.
MEASURED = {"binance-usdm": 5264, "bybit": 4927, "kraken": 4997, "bitget": 5469, "gate": 3281, "okx": 1642}
FEWEST, MOST = 10, 60  # symbols of a venue
TICK_S = 0.005  # a player looks so often for what is due
SPREAD_S = 10.0  # the symbols of a venue begin within that time, so that they do not send in step
WARM_UP_S = 20.0
PATIENCE_S = 60.0  # until a process has answered
LATE_S = 0.1  # a player that sends so late does not play what is wanted
LATE_MS = 1000.0  # a second in which p99 of a venue's lag is above that has fallen behind
ANSWERS = ("acknowledgement", "unsubscribed", "pong")  # as sessions count them
VENUE_TIME = b'"venue_ns":'


class Player:
    """One venue: what its symbols send, to whoever subscribed. ``pace``: times the recorded one."""

    def __init__(self, feed: type[Feed], found: Sequence[Track], pace: float) -> None:
        self.feed, self.pace = feed, pace
        self.turns = {track.symbol: Turn(track, index / len(found)) for index, track in enumerate(found)}
        self.sent = self.bytes = 0
        self.latest_s = 0.0  # by which a frame was sent too late, at most

    async def attend(self, request: web.Request) -> web.StreamResponse:
        """Its WebSocket and its REST calls: each path may be either."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._answer(request)
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                replies, keys = self.feed.reply(message.data.encode())
                transport.write(b"".join(map(framed, replies)))
                for key in keys:
                    self._subscribed(key, transport)
        return socket

    def _subscribed(self, key: Key, transport: asyncio.Transport) -> None:
        channel, symbol = key
        turn = self.turns.get(symbol)
        if turn is None:
            return
        turn.routes[channel] = transport
        # Only a snapshot on the socket comes again; what is joined by REST goes on as it was.
        if channel == self.feed.book and not (self.feed.by_rest and turn.is_begun):
            spread_s = min(SPREAD_S, turn.track.duration_s / self.pace)
            turn.begin(time.perf_counter(), spread_s)

    def _answer(self, request: web.Request) -> web.Response:
        if self.feed.asked(request.path):
            symbol = request.query.get("symbol") or request.query["contract"]
            turn = self.turns[symbol]
            return web.Response(body=turn.track.book(turn.sent, turn.number), content_type="application/json")
        return web.Response(body=b"{}", status=200 if request.path == LISTED else 404, content_type="application/json")

    def send(self, now_s: float, now_ms: int) -> None:
        """What is due, in one write a socket."""
        due: defaultdict[asyncio.Transport, list[bytes]] = defaultdict(list)
        for turn in self.turns.values():
            self.latest_s = max(self.latest_s, now_s - turn.due_s)
            while turn.due_s <= now_s:
                transport = turn.routes.get(turn.channel)
                if transport is not None:
                    due[transport].append(framed(turn.track.frame(turn.sent, now_ms, turn.number)))
                turn.next(self.pace)
        for transport, frames in due.items():
            transport.write(written := b"".join(frames))
            self.sent += len(frames)
            self.bytes += len(written)


class Turn:
    """How far a track is. ``place``: 0 to 1, among those of its venue."""

    def __init__(self, track: Track, place: float) -> None:
        self.track, self._place = track, place
        self.number = self.sent = 0
        self.routes: dict[str, asyncio.Transport] = {}  # by channel
        self._begun_s = 0.0
        self.due_s = math.inf

    @property
    def channel(self) -> str:
        """Of the frame that is due next."""
        return self.track.forms[self.sent].channel

    @property
    def is_begun(self) -> bool:
        return self.due_s != math.inf

    def begin(self, now_s: float, spread_s: float) -> None:
        """Subscribed, or subscribed again: a turn begins."""
        self.number += self.is_begun
        self.sent = 0
        self._begun_s = self.due_s = now_s + self._place * spread_s

    def next(self, pace: float) -> None:
        self.sent += 1
        if self.sent == len(self.track.forms):
            self.sent, self.number = 0, self.number + 1
            self._begun_s += self.track.duration_s / pace
        self.due_s = self._begun_s + self.track.forms[self.sent].offset_s / pace


def framed(payload: bytes) -> bytes:
    """A text message of a server, RFC 6455 section 5.2."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes([size]) + payload
    return (b"\x81\x7e" + size.to_bytes(2) if size < 65536 else b"\x81\x7f" + size.to_bytes(8)) + payload


def play(end: Connection, share: float, times: float) -> None:
    """A process: all venues. Says where each is and what it lists, then counts when it is asked; "stop" stops it."""

    async def main() -> None:
        players = {name: player_of(FEEDS[name], share * rate, times) for name, rate in MEASURED.items()}
        runners = [web.AppRunner(application(player)) for player in players.values()]
        open_at = {}
        for (name, player), runner in zip(players.items(), runners, strict=True):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            open_at[name] = runner.addresses[0][1], [turn.track.instrument for turn in player.turns.values()]
        end.send(open_at)
        sending = asyncio.create_task(send(list(players.values())))
        while (asked := await asyncio.to_thread(end.recv)) != "end":
            if asked == "stop":
                sending.cancel()
            end.send({name: (one.sent, one.bytes, one.latest_s) for name, one in players.items()})
        for runner in runners:
            await runner.cleanup()

    uvloop.run(main())


def player_of(feed: type[Feed], rate: float, times: float) -> Player:
    """With FEWEST to MOST symbols, as many as give about that rate at the recorded pace; ``times`` makes it faster."""
    recorded = tracks(feed)
    of_one = fmean(len(track.forms) / track.duration_s for track in recorded)
    found = tracks(feed, max(FEWEST, min(MOST, round(rate / of_one))))
    return Player(feed, found, times * rate / sum(len(track.forms) / track.duration_s for track in found))


def application(player: Player) -> web.Application:
    app = web.Application()
    app.router.add_get("/{path:.*}", player.attend)
    return app


async def send(players: Sequence[Player]) -> None:
    while True:
        now_s, now_ms = time.perf_counter(), time.time_ns() // 1_000_000
        for player in players:
            player.send(now_s, now_ms)
        await asyncio.sleep(TICK_S)


class LagBus(KafkaBus):
    """Notes for each message the time from the venue's to its acknowledgement, in place of that from its receipt."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.lags_ns: list[int] = []  # of the acknowledgements since it was emptied

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        at = value.rfind(VENUE_TIME)
        if at >= 0:
            begin = at + len(VENUE_TIME)
            received_ns = int(value[begin : value.index(b",", begin)])
        super().publish(topic, key, value, received_ns)

    def stats(self) -> BusStats:
        self.lags_ns += self._ledger._latencies_ns
        return super().stats()


class Second(NamedTuple):
    """One second of a collector: counts since its start, the rest of this second."""

    at: float
    frames: int
    events: int
    acknowledged: int
    cpu_s: float
    lags_ns: list[int]
    paused_ms: int


def take(end: Connection, name: str, port: int, rows: list[Instrument], brokers: str) -> None:
    """A process: the collector of a venue, until all that was sent is taken. Sends its seconds and its report."""
    settings = Settings(kafka_brokers=brokers)
    config = CollectorConfig(
        venue=name,
        symbols=tuple(row.symbol for row in rows),
        channels=FEEDS[name].channels,
        ws_url=f"ws://127.0.0.1:{port}",
        rest_url=f"http://127.0.0.1:{port}",
    )

    async def main() -> None:
        stop, seconds = asyncio.Event(), list[Second]()
        latest: dict[str, FeedStats] = {}

        def note(stats: FeedStats) -> None:
            latest[stats.conn] = stats

        async def each_second() -> None:
            while True:
                await asyncio.sleep(1.0)
                counts = list(latest.values())
                lags, bus.lags_ns = bus.lags_ns, []
                seconds.append(
                    Second(
                        time.monotonic(),
                        sum(map(data_frames, counts)),
                        sum(one.events for one in counts),
                        max((one.published for one in counts), default=0),
                        time.process_time(),
                        sorted(lags),
                        max((one.paused_ms for one in counts), default=0),
                    )
                )

        with LagBus(settings) as bus:
            noting = asyncio.create_task(each_second())
            collecting = asyncio.create_task(
                collect(config, settings, bus, SystemClock(), stop, on_stats=note, venue=listing(name, rows))
            )
            sent = await asyncio.to_thread(end.recv)
            deadline = time.monotonic() + PATIENCE_S / 2
            while sum(map(data_frames, latest.values())) < sent and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            stop.set()
            report = await collecting
            noting.cancel()
            end.send((seconds, report, (resident_bytes() or 0) / 2**20, sum(map(data_frames, latest.values()))))

    uvloop.run(main())


def data_frames(stats: FeedStats) -> int:
    """Frames that were no answers to what the collector sent."""
    return stats.frames - sum(stats.ignored.get(kind, 0) for kind in ANSWERS)


def busy_s() -> float:
    """CPU seconds that all cores worked since the machine started, for whomever; proc(5)."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def process(cores: Sequence[int], work: Any, *arguments: object) -> Iterator[tuple[Connection, int]]:
    """A process on these cores: its pipe and its id."""
    here, there = SPAWN.Pipe()
    running = SPAWN.Process(target=pinned, args=(cores, work, there, *arguments), daemon=True)
    running.start()
    there.close()
    try:
        yield here, running.pid or 0
        running.join(10)
    finally:
        running.kill()
        running.join()


def pinned(cores: Sequence[int], work: Any, *arguments: object) -> None:
    os.sched_setaffinity(0, cores)
    work(*arguments)


def answer(end: Connection) -> Any:
    if not end.poll(PATIENCE_S):
        raise TimeoutError(f"no answer within {PATIENCE_S:g} s")
    return end.recv()


class Taken(NamedTuple):
    """What a collector said. ``seconds``: those that were measured; ``frames``: of the whole run."""

    seconds: list[Second]
    report: CollectorReport
    mb: float
    frames: int


class Run(NamedTuple):
    """One multiple. ``sent`` and ``bytes``: while it was measured; ``all_sent``: of the whole run, as ``latest_s``."""

    times: float
    seconds_s: float
    wanted: dict[str, float]
    sent: dict[str, int]
    bytes: dict[str, int]
    all_sent: dict[str, int]
    latest_s: dict[str, float]
    taken: dict[str, Taken]
    player_s: float
    broker_s: float
    busy_s: float


def run(times: float, share: float, minutes: float) -> Run:
    os.sched_setaffinity(0, CORES[:1])  # and what is started from here: broker and player
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        broker = stack.enter_context(start_broker(Path(directory)))
        Admin(settings := Settings(kafka_brokers=broker.brokers)).ensure(platform_topics(settings, MEASURED))
        player, player_pid = stack.enter_context(process(CORES[:1], play, share, times))
        collectors = {
            name: stack.enter_context(process(CORES[-1:], take, name, port, rows, broker.brokers))[0]
            for name, (port, rows) in answer(player).items()
        }
        time.sleep(WARM_UP_S)

        def counted() -> tuple[float, dict[str, tuple[int, int, float]], float, float, float]:
            player.send("count")
            counts, of_broker = answer(player), sum(map(process_cpu_seconds, (broker.pid, broker.relay.pid)))
            return time.monotonic(), counts, process_cpu_seconds(player_pid), of_broker, busy_s()

        began = counted()
        time.sleep(minutes * 60)
        ended = counted()
        player.send("stop")
        last = answer(player)
        for name, collector in collectors.items():
            collector.send(last[name][0])
        taken = {name: Taken(*answer(collector)) for name, collector in collectors.items()}
        player.send("end")
    within = {
        name: one._replace(seconds=[second for second in one.seconds if began[0] <= second.at <= ended[0]])
        for name, one in taken.items()
    }
    return Run(
        times=times,
        seconds_s=ended[0] - began[0],
        wanted={name: share * times * rate for name, rate in MEASURED.items()},
        sent={name: ended[1][name][0] - began[1][name][0] for name in MEASURED},
        bytes={name: ended[1][name][1] - began[1][name][1] for name in MEASURED},
        all_sent={name: count[0] for name, count in last.items()},
        latest_s={name: count[2] for name, count in last.items()},
        taken=within,
        player_s=ended[2] - began[2],
        broker_s=ended[3] - began[3],
        busy_s=ended[4] - began[4],
    )


def percentile_ms(lags_ns: list[int], share: float) -> float | None:
    """Of ascending times; whole ms were cut off at the venue's clock."""
    return lags_ns[math.ceil(share * len(lags_ns)) - 1] / 1e6 if lags_ns else None


def rows_of(run: Run) -> tuple[list[list[Cell]], list[str]]:
    """The rows of a multiple, a venue each and all together; and what went wrong in it, what broke first first."""
    rows: list[list[Cell]] = []
    wrong: list[tuple[float, str]] = []
    lags = list[int]()
    sums = Counter[str]()
    for name, taken in run.taken.items():
        values, of_venue = values_of(run, name), lags_of(taken.seconds)
        sums.update(values)
        rows.append(_row(run.times, name, values, of_venue))
        lags += of_venue
        wrong += [(at_s, f"{run.times:g} times: {name}: {what}") for at_s, what in problems(run, name, taken)]
    rows.append(_row(run.times, "all six", sums, sorted(lags)))
    others_s = run.busy_s - run.player_s - run.broker_s - sums["core"] * run.seconds_s
    for name, used_s in (("players", run.player_s), ("broker", run.broker_s), ("other work", others_s)):
        cost = None if name == "other work" else used_s / sum(run.sent.values()) * 1e6
        rows.append([run.times, name, *[None] * 6, used_s / run.seconds_s, cost, *[None] * 4])
    return rows, [text for _, text in sorted(wrong)]


def values_of(run: Run, name: str) -> dict[str, float]:
    """What adds up over the venues: rates a second, cores, MiB and what was lost."""
    taken = run.taken[name]
    first, last = taken.seconds[0], taken.seconds[-1]
    span_s = last.at - first.at
    return {
        "wanted": run.wanted[name],
        "sent": run.sent[name] / run.seconds_s,
        "bytes": run.bytes[name] / run.seconds_s,
        "taken": (last.frames - first.frames) / span_s,
        "events": (last.events - first.events) / span_s,
        "acknowledged": (last.acknowledged - first.acknowledged) / span_s,
        "core": (last.cpu_s - first.cpu_s) / span_s,
        "mb": taken.mb,
        "lost": run.all_sent[name] - taken.frames + taken.report.accepted - taken.report.acknowledged,
    }


def lags_of(seconds: Sequence[Second]) -> list[int]:
    return sorted(lag for second in seconds[1:] for lag in second.lags_ns)


def _row(times: float, name: str, values: Mapping[str, float], lags_ns: list[int]) -> list[Cell]:
    rates = (round(values[key]) for key in ("wanted", "sent", "taken", "events", "acknowledged"))
    size, cost = values["bytes"] / values["sent"], values["core"] / values["taken"] * 1e6
    lag = percentile_ms(lags_ns, 0.5), percentile_ms(lags_ns, 0.99)
    return [times, name, *rates, round(size), values["core"], cost, round(values["mb"]), *lag, round(values["lost"])]


def problems(run: Run, name: str, taken: Taken) -> Iterator[tuple[float, str]]:
    """What went wrong with a venue, and the second in which it was seen; the end for what is counted there."""
    report, seconds = taken.report, taken.seconds
    late = [second for second in seconds[1:] if (percentile_ms(second.lags_ns, 0.99) or 0) > LATE_MS]
    if late:
        at_s = late[0].at - seconds[0].at
        yield at_s, f"p99 of the lag above {LATE_MS:g} ms from {at_s:.0f} s on, in {len(late)} of {len(seconds)} s"
    counted = {
        "frames not taken": run.all_sent[name] - taken.frames,
        "messages not acknowledged": report.accepted - report.acknowledged,
        "gaps": report.gaps,
        "reconnects": report.reconnects,
        "dead letters": report.dead_letters,
        "ms in which sockets were paused": seconds[-1].paused_ms,
    }
    for what, count in counted.items():
        if count:
            yield math.inf, f"{count:,} {what}"
    if run.latest_s[name] > LATE_S:
        yield math.inf, f"its player sent up to {run.latest_s[name]:.1f} s late"


def measure(minutes: float, share: float, multiples: Sequence[float]) -> tuple[Table, list[str]]:
    rows: list[list[Cell]] = []
    wrong: list[str] = []
    for times in multiples:
        print(f"{times:g} times, {minutes:g} minutes ...", file=sys.stderr, flush=True)
        found, problems = rows_of(run(times, share, minutes))
        rows += found
        wrong += problems
    columns = [
        "times",
        "of",
        "wanted/s",
        "sent/s",
        "taken/s",
        "events/s",
        "acknowledged/s",
        "bytes",
        "core",
        "us a frame",
    ]
    columns += ["MiB", "lag p50 ms", "p99", "lost"]
    mean = sum(MEASURED.values())
    notes = [
        f"1 is {share:g} of {mean:,} frames a second, what six venues sent in October 2026 (measured live, mean);",
        f"wanted: in the long run; {minutes:g} minutes each after {WARM_UP_S:g} s. core: CPU seconds a second; the",
        "six collectors share one core, players and broker the other; other work is that of the machine besides, on",
        "both. Lag: from the sending to the acknowledgement.",
        "Lost: of the whole run, frames not taken 30 s after the last, messages not acknowledged. bytes: of a frame.",
        *(wrong or ["Nothing was lost, no book had a gap, no socket was paused, nothing fell behind."]),
    ]
    return Table("market_mix", "a share of the live market on one collector host", [*columns], rows, notes), wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each multiple")
    parser.add_argument("--share", type=float, default=0.04, help="of the measured mean, at 1")
    parser.add_argument("--times", type=float, nargs="+", default=[1.0, 2.0, 4.0], help="multiples of the share")
    options = parser.parse_args()
    table, wrong = measure(options.minutes, options.share, options.times)
    print(table.text())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
