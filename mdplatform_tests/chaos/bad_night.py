"""A scripted bad night: for each trouble the first sign in Dagster and in the alerts, and after how many seconds.

``python -m mdplatform_tests.chaos.bad_night [DIRECTORY]`` (root, for a small file system) starts `mdplatform up` with
two simulated venues on a file system of its own, brings the troubles about one after the other, looks for each at what
an operator would look at (checks, ticks of sensors; messages at a webhook), and prints a table. Dagster's page of each
sign is kept as a picture in the directory that it prints (Debian's chromium). What only the build of an hour can find
is built at once here: on a real night it is found within minutes after the hour's end.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
from confluent_kafka import Producer
from playwright.sync_api import Error, Page, sync_playwright

from mdplatform.defs.ingest.health import NAME as FEED_CHECK
from mdplatform.defs.partitions import key_of
from mdplatform.embedded.services import LOCATION
from mdplatform_tests.chaos.test_disk import small
from mdplatform_tests.rehearsal.acts import LAUNCH

LONGEST_S = 240.0
POLL_S = 0.5
HOUR = timedelta(hours=1)
DRAWN_S = 8.0  # until Dagster's page shows the rest too
DRAWN_BY_MS = 120_000
DIALOG_S = 2.0  # until an opened tick is there
SPREADS = dg.AssetKey("spread_hourly")


@dataclass
class Alerts:
    """A webhook on loopback, and when each message came."""

    url: str = ""
    texts: list[tuple[float, str]] = field(default_factory=list)

    def first(self, words: str, after: float) -> float | None:
        return next((at for at, text in self.texts if at > after and words in text), None)


@dataclass
class Stack:
    """A running `mdplatform up`."""

    directory: Path
    addresses: dict[str, str]
    alerts: Alerts
    instance: dg.DagsterInstance
    pictures: Path

    def picture(self, name: str, path: str, words: str) -> None:
        """Keep what Dagster shows at the path, once the words are there."""
        with self._page(name, path) as page:
            page.get_by_text(words).last.wait_for(timeout=DRAWN_BY_MS)

    def picture_of_tick(self, name: str, sensor: str, words: str) -> None:
        """Keep the newest of the sensor's ticks that says so, opened as an operator opens it: by its result."""
        with self._page(name, f"/locations/__repository__@{LOCATION}/sensors/{sensor}") as page:
            results = page.get_by_role("row").get_by_role("button", name="runs requested")
            results.first.wait_for(timeout=DRAWN_BY_MS)
            for result in results.all():
                result.click()
                page.get_by_text(f"Tick for {sensor}").wait_for(timeout=DRAWN_BY_MS)
                time.sleep(DIALOG_S)
                if page.get_by_text(words).count():
                    return
                page.get_by_role("button", name="Close").click()
            raise Error(f"no tick on the page says {words!r}")

    @contextlib.contextmanager
    def _page(self, name: str, path: str) -> Iterator[Page]:
        """Dagster's page at the path, kept as a picture in the end; without one a line says why."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            try:
                page.goto(f"{self.addresses['dagster']}{path}", wait_until="domcontentloaded", timeout=DRAWN_BY_MS)
                yield page
                time.sleep(DRAWN_S)
                page.screenshot(path=self.pictures / f"{name.replace(' ', '_')}.png")
            except Error as error:
                print(f"no picture of {name}: {error.message.partition(chr(10))[0]}", flush=True)
            finally:
                browser.close()

    def fault(self, script: str) -> None:
        address = json.loads((self.directory / "stack.json").read_text())["simulator"]
        _get(f"{address}/_sim/fault?script={urllib.parse.quote(script)}")

    def build(self, hour: datetime) -> None:
        """Launch hourly_build for the hour, as an operator does."""
        job = {
            "repositoryLocationName": "mdplatform",
            "repositoryName": "__repository__",
            "pipelineName": "hourly_build",
        }
        tags = [{"key": "dagster/partition", "value": key_of(hour)}]
        run = {"selector": job, "runConfigData": {}, "executionMetadata": {"tags": tags}}
        body = json.dumps({"query": LAUNCH, "variables": {"run": run}}).encode()
        request = urllib.request.Request(
            f"{self.addresses['dagster']}/graphql", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            launched = json.loads(answer.read())["data"]["launchRun"]
        if "run" not in launched:
            raise SystemExit(f"Dagster does not launch hourly_build: {launched}")

    def failed(self, asset: dg.AssetKey, check: str, after: float, partition: str | None = None) -> float | None:
        """When the check failed first after that time."""
        key = dg.AssetCheckKey(asset, check)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
        times = [
            record.event.timestamp
            for record in records
            if isinstance(record.evaluation, dg.AssetCheckEvaluation)  # not one that is merely planned
            and record.event is not None
            and not record.evaluation.passed
            and record.event.timestamp > after
            and record.evaluation.partition == partition
        ]
        return min(times, default=None)

    def ticked(self, sensor: str, words: str, after: float) -> float | None:
        """When a tick of the sensor said so first after that time."""
        for state in self.instance.all_instigator_state():
            if state.instigator_name == sensor:
                ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, after=after)
                times = [tick.timestamp for tick in ticks if words in (tick.tick_data.skip_reason or "")]
                return min(times, default=None)
        return None


@dataclass(frozen=True)
class Row:
    """Seconds from the trouble to its first sign; None: there was none in time."""

    trouble: str
    sign: str
    dagster_s: float | None
    alert_s: float | None


def checks_page(asset: dg.AssetKey, check: str) -> str:
    return f"/assets/{'/'.join(asset.path)}?view=checks&checkDetail={check}"


def watch(
    trouble: str,
    sign: str,
    since: float,
    in_dagster: Callable[[], float | None],
    in_alerts: Callable[[float], float | None],
) -> Row:
    """Look at both until each has shown something, or the time is over. An alert that came before the sign is of
    something else."""
    seen = alert = None
    while time.time() - since < LONGEST_S and (seen is None or alert is None):
        seen = in_dagster() if seen is None else seen
        alert = in_alerts(seen) if seen is not None else None
        time.sleep(POLL_S)
    row = Row(trouble, sign, seen and seen - since, alert and alert - since)
    print(_line(row), flush=True)
    return row


def night(stack: Stack) -> list[Row]:
    """One trouble after the other."""
    okx, hour = dg.AssetKey(["feed", "okx"]), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = []

    since = time.time()
    stack.fault(f"cut venue=okx; refuse venue=okx for={LONGEST_S:.0f}s")
    rows.append(
        watch(
            "a venue is dead, the other fills the same tables",
            f"check {FEED_CHECK} of feed/okx",
            since,
            lambda: stack.failed(okx, FEED_CHECK, since),
            lambda seen: stack.alerts.first("failed for feed/okx", seen),
        )
    )
    stack.picture("a dead venue", checks_page(okx, FEED_CHECK), FEED_CHECK)

    since = time.time()
    with stopped(_relay(stack.directory)):
        rows.append(
            watch(
                "the broker hangs",
                "ticks of stream_observer; check of feed/binance",
                since,
                lambda: stack.ticked("stream_observer", "Kafka at", since),
                lambda seen: stack.alerts.first("failed for feed/binance", seen),
            )
        )
        stack.picture_of_tick("a broker that hangs", "stream_observer", "Kafka at")

    since = time.time()
    with nearly_full(stack.directory):
        rows.append(
            watch(
                "the disk fills (8 % are left)",
                "tick of disk_watch",
                since,
                lambda: stack.ticked("disk_watch", "new: disk/", since),
                lambda seen: stack.alerts.first("ClickHouse's disk", seen - 1),
            )
        )
        stack.picture_of_tick("a filling disk", "disk_watch", "new: disk/")

    since = time.time()
    stack.fault("garbage venue=binance kind=fields count=20")
    crossed(stack, since)
    time.sleep(15)  # until collector and tables have it
    built = time.time()
    stack.build(hour)
    for trouble, check in (
        ("one crossed row", "book_is_not_crossed"),
        ("a venue sends fields never seen before", "venues_do_as_documented"),
    ):
        rows.append(
            watch(
                trouble,
                f"check {check}, with the hour's build",
                built,
                lambda check=check: stack.failed(SPREADS, check, built, key_of(hour)),  # type: ignore[misc]
                lambda seen, check=check: stack.alerts.first(check, seen),  # type: ignore[misc]
            )
        )
        stack.picture(trouble, checks_page(SPREADS, check), check)

    since = time.time()
    stack.build(hour - HOUR)
    rows.append(
        watch(
            "an hour in which nothing was collected",
            "check feeds_are_covered, with the hour's build",
            since,
            lambda: stack.failed(SPREADS, "feeds_are_covered", since, key_of(hour - HOUR)),
            lambda seen: stack.alerts.first(f"feeds_are_covered failed for spread_hourly {key_of(hour - HOUR)}", seen),
        )
    )
    stack.picture("an empty hour", checks_page(SPREADS, "feeds_are_covered"), "feeds_are_covered")
    return rows


def crossed(stack: Stack, at: float) -> None:
    """A message with a crossed book, as a collector that rebuilt it wrongly would send it."""
    now_ms = round(at * 1000)
    book = {"exchange": "binance", "symbol": "BTC-USDT", "b": [105.0], "bv": [1.0], "a": [101.0], "av": [1.0]}
    book |= {"timestamp": now_ms, "sequence": 7, "received_ns": now_ms * 10**6 + 1, "venue_ns": now_ms * 10**6}
    producer = Producer({"bootstrap.servers": stack.addresses["kafka"]})
    producer.produce("md.orderbook.normalized", json.dumps(book).encode(), key=b"BTC-USDT")
    producer.flush(10)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def nearly_full(place: Path) -> Iterator[None]:
    """All but 8 % of the file system is taken."""
    ballast, found = place / "ballast", os.statvfs(place)
    with ballast.open("wb") as file:
        for _ in range(max(0, found.f_bavail - found.f_blocks * 8 // 100)):
            file.write(bytes(found.f_frsize))
    try:
        yield
    finally:
        ballast.unlink()


def _relay(directory: Path) -> int:
    """The process through which clients of this stack's broker go."""
    stack = json.loads((directory / "stack.json").read_text())["pid"]
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if b"fetch_relay" in command and stack in _ancestors(int(entry.name)):
                return int(entry.name)
    raise SystemExit("the stack's broker has no relay")


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid


@contextlib.contextmanager
def webhook() -> Iterator[Alerts]:
    """Keeps what is posted and when."""
    found = Alerts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.texts.append((time.time(), body["message"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"json://127.0.0.1:{server.server_port}/alerts"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def running(directory: Path, alerts: Alerts) -> Iterator[Stack]:
    """`mdplatform up --demo` in the background, until both venues are alive in Dagster."""
    before = datetime.now(UTC) - HOUR
    environ = {
        **os.environ,
        "MDPLATFORM_ALERTS": alerts.url,
        "MDPLATFORM_INGEST": "binance:BTC-USDT;okx:BTC-USDT",
        "MDPLATFORM_FIRST_HOUR": f"{before:%Y-%m-%dT%H:00}",
    }
    command = [sys.executable, "-m", "mdplatform"]
    up = [*command, "up", "--demo", "--detach", "--json", "--data-dir", str(directory)]
    answer = subprocess.run(up, env=environ, stdout=subprocess.PIPE, check=True)
    addresses: dict[str, Any] = json.loads(answer.stdout)
    os.environ["DAGSTER_HOME"] = str(directory / "dagster")
    try:
        with dg.DagsterInstance.get() as instance:
            stack = Stack(directory, addresses, alerts, instance, Path(tempfile.mkdtemp(prefix="bad_night_")))
            print(f"pictures: {stack.pictures}", flush=True)
            _until(lambda: stack.ticked("feed_watch", "2 venues, all alive", 0.0) is not None, 400.0)
            time.sleep(60)  # past the patience with a venue that begins
            yield stack
    finally:
        subprocess.run([*command, "down", "--data-dir", str(directory)], check=False, stdout=subprocess.DEVNULL)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("the stack did not become healthy in time")
        time.sleep(POLL_S)


def _get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=30):
        pass


def _line(row: Row) -> str:
    times = [f"{seconds:.0f}" if seconds is not None else "none" for seconds in (row.dagster_s, row.alert_s)]
    return f"| {row.trouble} | {row.sign} | {times[0]} | {times[1]} |"


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    with small(place, 1500) as directory, webhook() as alerts, running(directory / "stack", alerts) as stack:
        print("| trouble | first sign in Dagster | s | alert, s |\n|---|---|---|---|", flush=True)
        rows = night(stack)
        for at, text in alerts.texts:
            print(f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} {text.partition(chr(10))[0][:150]}")
    sys.exit(1 if any(row.dagster_s is None or row.alert_s is None for row in rows) else 0)


if __name__ == "__main__":
    main()
