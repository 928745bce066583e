"""The whole platform on one machine, from pip packages: started in order, looked after, ended in reverse order."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from mdplatform.bus.security import engine_options
from mdplatform.core import stack_state
from mdplatform.core.process import ProcessError
from mdplatform.core.settings import load
from mdplatform.core.stack_state import StackState
from mdplatform.embedded import clickhouse, ports, services
from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.ports import LOOPBACK
from mdplatform.embedded.services import Service

log = logging.getLogger(__name__)

BASE = ("broker", "clickhouse")
PARTS = (*BASE, "simulator", "dashboard", "signals", "dagster")  # in the order in which they start
CUSTOMARY_PORTS = {"kafka": 9092, "clickhouse": 8123, "dagster": 3000, "dashboard": 8080, "simulator": 8090}
DEMO_INGEST = ";".join(
    (
        "binance:BTC-USDT,ETH-USDT,SOL-USDT:book,trades,bbo",
        "binance-usdm:BTC-USDT-PERP,ETH-USDT-PERP",
        "coinbase:BTC-USD,ETH-USD,SOL-USD",
        "deribit:BTC-USD-PERP,ETH-USD-PERP",
        "bybit:BTC-USDT,ETH-USDT,BTC-USDT-PERP",
        "okx:BTC-USDT,ETH-USDT,BTC-USDT-PERP,TSLA-USDT-PERP",
    )
)
# Variables that say how a broker is logged in to and trusted.
KAFKA_SECURITY = tuple(f"MDPLATFORM_KAFKA_{what}" for what in ("SECURITY", "SASL", "CA", "CERTIFICATE", "KEY"))
# Where the passwords of ClickHouse's users come from when they are given.
PASSWORDS = {
    "default": "MDPLATFORM_CLICKHOUSE_PASSWORD",
    "reader": "MDPLATFORM_CLICKHOUSE_READER_PASSWORD",
}
PASSWORD_BYTES = 24
WATCH_S = 1.0
RESTART_S = 15.0  # a service that dies again within this time waits that long


@dataclass(frozen=True)
class Plan:
    """What to run: the services of ``parts`` on ``data_dir``, with ``environ`` as the settings' source."""

    data_dir: Path
    parts: tuple[str, ...]
    environ: Mapping[str, str]


class Stack:
    """A running stack; ``report`` gets a line a step for whoever watches it start."""

    def __init__(self, plan: Plan, prepare: Callable[[dict[str, str]], object], report: Callable[[str], None]) -> None:
        """``prepare`` creates topics and tables for the environment it is given, once broker and ClickHouse answer."""
        self._plan = plan
        self._prepare = prepare
        self._report = report
        before = stack_state.read(plan.data_dir)
        self._ports = _ports(before)
        self._made = _passwords(before)
        self._services: list[Service] = []
        self._restarted: dict[str, float] = {}
        self._is_prepared = False
        self._passwords = {user: plan.environ.get(name) or self._made[user] for user, name in PASSWORDS.items()}
        self.environ = _environment(plan, self._ports, self._passwords)

    @property
    def state(self) -> StackState:
        """The addresses of the parts that were requested."""
        at, has = self._ports, self._plan.parts.__contains__
        return StackState(
            pid=os.getpid(),
            data_dir=str(self._plan.data_dir),
            kafka=f"{LOOPBACK}:{at['kafka']}" if has("broker") else None,
            clickhouse=self.environ["CLICKHOUSE_URL"] if has("clickhouse") else None,
            clickhouse_reader=self.environ["CLICKHOUSE_READER_URL"] if has("clickhouse") else None,
            dagster=f"http://{LOOPBACK}:{at['dagster']}" if has("dagster") else None,
            dashboard=f"http://{LOOPBACK}:{at['dashboard']}" if has("dashboard") else None,
            simulator=f"http://{LOOPBACK}:{at['simulator']}" if has("simulator") else None,
            passwords=self._made,
        )

    def start(self) -> None:
        """1. broker and ClickHouse, 2. topics and tables, 3. the rest. Raises ProcessError; then nothing is left."""
        stack_state.write(self.state)
        services_of = self._services_of()
        for name in sorted(self._plan.parts, key=PARTS.index):
            if name not in BASE:
                self._prepare_once()
            for service in services_of[name]:
                self._start(service)
        self._prepare_once()
        stack_state.write(msgspec.structs.replace(self.state, ready=True))

    def watch(self, stop: threading.Event) -> None:
        """Restart (on the same port) whatever has died, until ``stop`` is set."""
        while not stop.wait(WATCH_S):
            for service in self._services:
                if service.failed and time.monotonic() - self._restarted.get(service.name, 0.0) > RESTART_S:
                    self._restart(service)

    def stop(self) -> None:
        """End the services, last started first."""
        for service in reversed(self._services):
            self._report(f"ending {service.name}")
            service.stop()
        self._services.clear()
        stack_state.write(self.state)

    def _start(self, service: Service) -> None:
        started_s = time.monotonic()
        service.start()
        self._services.append(service)
        address = self.state.addresses().get(service.name)
        where = f" at {address}" if address else ""
        self._report(f"{service.name} is ready{where} ({time.monotonic() - started_s:.1f} s)")

    def _restart(self, service: Service) -> None:
        self._restarted[service.name] = time.monotonic()
        log.warning("%s has ended by itself; starting it again", service.name)
        try:
            service.start()
        except ProcessError as error:
            log.error("%s", error)

    def _prepare_once(self) -> None:
        if self._is_prepared or not set(BASE) <= set(self._plan.parts):
            return
        started_s = time.monotonic()
        self._prepare(self.environ)
        self._is_prepared = True
        self._report(f"topics and tables are ready ({time.monotonic() - started_s:.1f} s)")

    def _services_of(self) -> dict[str, tuple[Service, ...]]:
        """What each part consists of; a start after a crash is the same start."""
        data_dir, at, settings = self._plan.data_dir, self._ports, load(self.environ)
        logs = data_dir / "logs"

        def server(name: str, arguments: list[str], path: str, token: str = "") -> tuple[Service]:
            url = f"http://{LOOPBACK}:{at[name]}{path}"
            arguments = [*arguments, "--port", str(at[name])]
            log = logs / f"{name}.log"
            return (Service(name, lambda: services.start_server(name, arguments, url, self.environ, log, token)),)

        def start_clickhouse() -> services.Running:
            return clickhouse.start(
                data_dir / "clickhouse",
                at["clickhouse"],
                password=self._passwords["default"],
                reader_password=self._passwords["reader"],
                kafka=engine_options(settings),
                kafka_password=settings.kafka_sasl_password,
                allowed_hosts=sorted(settings.host_names()),
            )

        def start_kafka() -> services.Running:
            asked_file = clickhouse.asked_file(data_dir / "clickhouse") if "clickhouse" in self._plan.parts else None
            return start_broker(data_dir / "kafka", at["kafka"], asked_file=asked_file)

        dagster = services.Dagster(data_dir / "dagster", at["dagster"], ports.choose(), self.environ, logs)
        return {
            "broker": (Service("broker", start_kafka),),
            "clickhouse": (Service("clickhouse", start_clickhouse),),
            "simulator": server("simulator", ["simulate"], "/api/v3/time"),
            "dashboard": server("dashboard", ["dashboard"], "/healthz", settings.dashboard_token),
            "signals": (Service("signals", lambda: services.start_command("signals", self.environ, logs)),),
            "dagster": dagster.services(),
        }


def run(
    plan: Plan,
    prepare: Callable[[dict[str, str]], object],
    report: Callable[[str], None],
    started: Callable[[Stack, threading.Event], None],
) -> None:
    """Start, call ``started`` (it should return when the event is set), and stay until SIGINT or SIGTERM.

    Raises ConfigError when another stack has the directory, ProcessError when a service does not come up.
    """
    stop = threading.Event()
    with stack_state.held(plan.data_dir):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        stack = Stack(plan, prepare, report)
        try:
            stack.start()
            started(stack, stop)
            stack.watch(stop)
        finally:
            stack.stop()


def _ports(before: StackState | None) -> dict[str, int]:
    """A restarted stack keeps its addresses where it can: links, dashboards and open clients go on working."""
    last = (
        {}
        if before is None
        else {
            name: int(address.rstrip("/").rpartition(":")[2])
            for name in CUSTOMARY_PORTS
            if (address := getattr(before, name)) is not None
        }
    )
    return {name: ports.choose(last.get(name, 0), customary) for name, customary in CUSTOMARY_PORTS.items()}


def _passwords(before: StackState | None) -> dict[str, str]:
    """By user; a restarted stack keeps the passwords that were made for it, as clients use them."""
    made = {user: secrets.token_urlsafe(PASSWORD_BYTES) for user in PASSWORDS}
    return made if before is None else {**made, **before.passwords}


def _environment(plan: Plan, at: Mapping[str, int], passwords: Mapping[str, str]) -> dict[str, str]:
    """The settings that the stack's own addresses imply, over those that were given."""
    environ = dict(plan.environ)
    environ["MDPLATFORM_DATA_DIR"] = str(plan.data_dir)
    if "broker" in plan.parts:
        # The embedded broker writes all that it holds to disk every few seconds: it should not hold much.
        environ.setdefault("MDPLATFORM_KAFKA_RETENTION_MS", str(5 * 60 * 1000))
        environ.setdefault("MDPLATFORM_KAFKA_RETENTION_BYTES", str(16 * 1024 * 1024))
        # Nobody shares a topic here: messages of one partition travel and are compressed by the handful.
        environ.setdefault("MDPLATFORM_KAFKA_PARTITIONS", "1")
        environ["KAFKA_BROKERS"] = f"{LOOPBACK}:{at['kafka']}"
        # Which knows neither encryption nor logins: what a .env says of another broker is not for this one.
        environ |= {name: "" for name in environ if name.startswith(KAFKA_SECURITY)}
    if "clickhouse" in plan.parts:
        for user, variable in (("default", "CLICKHOUSE_URL"), ("reader", "CLICKHOUSE_READER_URL")):
            environ[variable] = f"http://{user}:{quote(passwords[user], safe='')}@{LOOPBACK}:{at['clickhouse']}"
        # Its consumers share one name in their groups (config.KAFKA): two of one group would fence each other.
        environ["MDPLATFORM_KAFKA_CONSUMERS"] = "1"
    if "dagster" in plan.parts:
        environ["MDPLATFORM_DAGSTER_URL"] = f"http://{LOOPBACK}:{at['dagster']}"
    if "simulator" in plan.parts:
        exchange = f"{LOOPBACK}:{at['simulator']}"
        environ.setdefault("MDPLATFORM_INGEST", DEMO_INGEST)
        simulated = [part.partition(":")[0] for part in environ["MDPLATFORM_INGEST"].split(";")]
        environ["MDPLATFORM_WS_URLS"] = ";".join(f"{venue}=ws://{exchange}/{venue}" for venue in simulated)
        environ["MDPLATFORM_REST_URLS"] = ";".join(f"{venue}=http://{exchange}/{venue}" for venue in simulated)
    environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    return environ
