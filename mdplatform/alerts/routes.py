"""Where alerts go: MDPLATFORM_ALERT_WEBHOOK, and the routes of MDPLATFORM_ALERTS, which Apprise delivers.

A route is an address of Apprise (https://github.com/caronc/apprise/wiki), whose every part may be a secret: it is named
by its number and service alone. Before it may stand what it is for: ``error=``, ``@okx=``, ``warning@okx,bybit=``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from mdplatform.alerts.policy import STORM_POSTS, Message, Notice, Outcome, Severity, batches, content, message
from mdplatform.core.errors import AlertError, ConfigError, MdplatformError
from mdplatform.core.settings import Settings

VARIABLE = "MDPLATFORM_ALERTS"
WEBHOOK = "the webhook of MDPLATFORM_ALERT_WEBHOOK"
ANSWER_S = 10
MOST_WAITING = 200  # notices kept for a route that does not answer; the oldest are dropped, which the log says
_ROUTE = re.compile(
    r"(?:(?P<severity>error|warning)?(?:@(?P<venues>[a-z0-9-]+(?:,[a-z0-9-]+)*))?=)?(?P<url>[a-z][a-z0-9]*://\S+)"
)


class Route(Protocol):
    """``key`` stays while its address does; ``name`` may be logged."""

    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...

    def takes(self, notice: Notice) -> bool: ...

    def send(self, notices: Sequence[Notice]) -> None:
        """Raises AlertError, whose text holds no part of the address."""


class Outbox(msgspec.Struct, frozen=True):
    """By route: what waits to be sent, and when messages went lately (s since the epoch)."""

    waiting: dict[str, list[Notice]] = {}
    sent: dict[str, list[float]] = {}


@dataclass(frozen=True)
class Webhook:
    """A POST of JSON for each message about what is new."""

    url: str = field(repr=False)
    key: str = "webhook"
    name: str = WEBHOOK

    def takes(self, notice: Notice) -> bool:
        return not notice.is_over

    def send(self, notices: Sequence[Notice]) -> None:
        body = json.dumps(content([notice.alert for notice in notices])).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S):
                return
        except urllib.error.HTTPError as error:
            raise AlertError(f"{self.name} answered {error.code}") from None
        except (OSError, ValueError) as error:
            cause = getattr(error, "reason", None) or type(error).__name__
            raise AlertError(f"{self.name} cannot be reached: {cause}") from None


@dataclass(frozen=True)
class AppriseRoute:
    """``number``: its place in MDPLATFORM_ALERTS, from 1."""

    number: int
    url: str = field(repr=False)
    severity: Severity | None = None
    venues: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        return f"route {self.number} of {VARIABLE} ({self.url.partition('://')[0]})"

    def takes(self, notice: Notice) -> bool:
        alert = notice.alert
        is_for_venue = not self.venues or bool(set(self.venues) & set(alert.venues))
        return is_for_venue and self.severity in (None, alert.severity)

    def send(self, notices: Sequence[Notice]) -> None:
        self.post(message(notices))

    def post(self, wanted: Message) -> None:
        """Raises AlertError."""
        import apprise

        kinds = {"error": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
        kind = apprise.NotifyType.SUCCESS if wanted.is_over else kinds[wanted.severity]
        with _logged() as lines:
            delivered = self._target().notify(body=wanted.text, title=wanted.title, notify_type=kind)
        if not delivered:
            why = f": {self._without_secrets(lines[-1])}" if lines else ""
            raise AlertError(f"{self.name} did not take a message{why}")

    def check(self) -> None:
        """Raises ConfigError where Apprise does not know such an address."""
        with _logged():
            self._target()

    def _target(self) -> Any:
        import apprise

        target = apprise.Apprise()
        if not target.add(self.url):
            raise ConfigError(f"{self.name} is no address that Apprise understands")
        return target

    def _without_secrets(self, text: str) -> str:
        text = re.sub(r"\S+://\S+", "***", text)
        for part in sorted(set(re.split(r"[:/@?&=,]+", self.url.partition("://")[2])), key=len, reverse=True):
            if len(part) > 3:
                text = text.replace(part, "***")
        return text


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What Apprise and its HTTP client log meanwhile. In it parts of addresses stand: it goes nowhere else."""
    kept, loggers = _Kept(), [logging.getLogger(name) for name in ("apprise", "urllib3.connectionpool")]
    before = [(each.handlers, each.level, each.propagate) for each in loggers]
    for each in loggers:
        each.handlers, each.propagate = [kept], False
        each.setLevel(logging.WARNING)
    try:
        yield kept.lines
    finally:
        for each, (handlers, level, propagate) in zip(loggers, before, strict=True):
            each.handlers, each.propagate = handlers, propagate
            each.setLevel(level)


def routes(settings: Settings) -> list[Route]:
    """All that are set, in their order. Raises ConfigError."""
    found: list[Route] = [Webhook(settings.alert_webhook)] if settings.alert_webhook else []
    return [*found, *parse(settings.alerts)]


def parse(text: str) -> list[AppriseRoute]:
    """``[severity][@venue,venue]=URL`` separated by blanks. Raises ConfigError, which names no address."""
    found = []
    for number, part in enumerate(text.split(), 1):
        match = _ROUTE.fullmatch(part)
        if match is None:
            raise ConfigError(
                f"{VARIABLE}: route {number} must read [error|warning][@venue,venue]=URL, or just URL; its text is not "
                "shown, as it may hold a secret"
            )
        venues = tuple((match["venues"] or "").split(",")) if match["venues"] else ()
        severity: Any = match["severity"]
        found.append(AppriseRoute(number, match["url"], severity, venues))
    return found


def deliver(
    to: Iterable[Route], outbox: Outbox, outcome: Outcome, now: float, log: logging.Logger
) -> tuple[Outbox, list[str]]:
    """Log what changed, and send by each route what waits for it; one that fails keeps its notices for the next time.

    Gives the outbox afterwards and a line for each route that failed. ``log``: the tick's, which the UI shows beside.
    """
    for alert in outcome.new:
        log.warning("%s", alert.text)
    for alert in outcome.over:
        log.info("over: %s", alert.cause)
    notices = [*map(Notice, outcome.new), *(Notice(alert, is_over=True) for alert in outcome.over)]
    after = Outbox({}, {})
    problems = []
    for route in to:
        waiting = [*outbox.waiting.get(route.key, []), *filter(route.takes, notices)]
        left, sent, problem = _send(route, waiting, outbox.sent.get(route.key, []), now)
        if len(left) > MOST_WAITING:
            log.warning("%s: the oldest %d of what waits for it are dropped", route.name, len(left) - MOST_WAITING)
        after.waiting[route.key], after.sent[route.key] = left[-MOST_WAITING:], sent
        problems += [problem] if problem else []
    return after, problems


def _send(
    route: Route, waiting: list[Notice], sent: list[float], now: float
) -> tuple[list[Notice], list[float], str | None]:
    """(what still waits, when messages went, why it ended early)."""
    left = waiting
    for batch in batches(waiting, sent, now):
        try:
            route.send(batch)
        except MdplatformError as error:
            return left, sent, str(error)
        left = [notice for notice in left if notice not in batch]
        sent = [*sent, now][-STORM_POSTS:]
    return left, sent, None
