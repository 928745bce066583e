"""Alerts by their routes, delivered by Apprise to a real server on loopback; no secret in what is logged."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mdplatform.alerts.policy import DIGEST_S, STORM_POSTS, Alert, Outcome, settle
from mdplatform.alerts.routes import Outbox, deliver, parse, routes
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform_tests.cli.calling import called

NOW = 1_800_000_000.0
LOG = logging.getLogger("tick")
OKX = Alert("feed/okx", "okx is dead", "look at its run", "error", ("okx",))
KRAKEN = Alert("feed/kraken", "kraken is slow", severity="warning", venues=("kraken",))
DISK = Alert("disk", "the disk is full")


@dataclass
class Server:
    """What was posted, by path."""

    port: int = 0
    posts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    status: int = 200

    def url(self, path: str) -> str:
        return f"json://ann:swordfish@127.0.0.1:{self.port}/{path}"

    def titles(self, path: str) -> list[str]:
        return [post["title"] for post in self.posts.get(path, [])]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.status == 200:
                found.posts.setdefault(self.path.strip("/"), []).append(json.loads(body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        found.port = running.server_port
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield found
        running.shutdown()
        thread.join()


def by(text: str, webhook: str = "") -> Settings:
    return Settings(alerts=text, alert_webhook=webhook)


def send(
    settings: Settings, outcome: Outcome, outbox: Outbox | None = None, now: float = NOW
) -> tuple[Outbox, list[str]]:
    return deliver(routes(settings), outbox or Outbox(), outcome, now, LOG)


def test_each_route_gets_what_it_is_for(server: Server) -> None:
    text = " ".join(
        (
            server.url("all"),
            f"error={server.url('errors')}",
            f"warning={server.url('warnings')}",
            f"@okx,bybit={server.url('okx')}",
            f"error@kraken={server.url('kraken')}",
        )
    )
    _, failed = send(by(text), settle([], [OKX, KRAKEN, DISK]))
    assert failed == []
    texts = {path: [post["message"] for post in posts] for path, posts in server.posts.items()}
    okx = "okx is dead\nlook at its run"
    assert texts == {
        "all": [okx, "kraken is slow", "the disk is full"],
        "errors": [okx, "the disk is full"],
        "warnings": ["kraken is slow"],
        "okx": [okx],
    }
    assert [post["type"] for post in server.posts["all"]] == ["failure", "warning", "failure"]


def test_what_is_over_is_said_to_whom_it_was_said(server: Server) -> None:
    settings = by(f"@okx={server.url('okx')} @kraken={server.url('kraken')}")
    first = settle([], [OKX])
    outbox, _ = send(settings, first)
    send(settings, settle(first.open, [Alert(OKX.cause, None)]), outbox)
    assert [(post["type"], post["message"]) for post in server.posts["okx"]] == [
        ("failure", "okx is dead\nlook at its run"),
        ("success", "over: okx is dead"),
    ]
    assert "kraken" not in server.posts


def test_a_warning_that_becomes_an_error_is_posted_again() -> None:
    first = settle([], [KRAKEN])
    worse = Alert(KRAKEN.cause, "kraken is dead", severity="error", venues=("kraken",))
    second = settle(first.open, [worse])
    assert second.new == (worse,)
    assert settle(second.open, [KRAKEN]).new == ()


def test_a_storm_is_one_digest_a_minute_and_nothing_is_lost(server: Server) -> None:
    settings, outbox, known = by(server.url("all")), Outbox(), ()
    seconds = 600
    for second in range(0, seconds, 10):
        outcome = settle(known, [Alert(f"c{second}", f"cause {second}")])
        known = outcome.open
        outbox, _ = send(settings, outcome, outbox, NOW + second)
    send(settings, Outcome(known), outbox, NOW + seconds + DIGEST_S)
    posts = server.posts["all"]
    assert STORM_POSTS < len(posts) <= STORM_POSTS + seconds / DIGEST_S + 2
    told = "\n".join(post["message"] for post in posts)
    assert all(f"cause {second}" in told for second in range(0, seconds, 10))


def test_a_route_that_fails_keeps_its_alerts_and_holds_back_no_other(server: Server) -> None:
    settings = by(f"json://127.0.0.1:1/nobody {server.url('all')}")
    outbox, (problem,) = send(settings, settle([], [OKX]))
    assert server.titles("all") == ["mdplatform: error"]
    assert problem.startswith("route 1 of MDPLATFORM_ALERTS (json) did not take a message")
    server.posts.clear()
    moved = by(f"json://127.0.0.1:1/nobody {server.url('all')}")
    after, _ = send(moved, Outcome(()), outbox, NOW + 30)
    assert server.posts == {}
    assert [[notice.alert for notice in waiting] for waiting in after.waiting.values()] == [[OKX], []]


def test_a_route_that_answers_again_gets_what_waited(server: Server) -> None:
    server.status = 503
    outbox, (problem,) = send(by(server.url("all")), settle([], [OKX]))
    assert "503" in problem
    server.status = 200
    send(by(server.url("all")), Outcome(()), outbox, NOW + 30)
    assert server.titles("all") == ["mdplatform: error"]


def test_the_webhook_gets_what_is_new_and_not_what_is_over(server: Server) -> None:
    settings = by("", f"http://127.0.0.1:{server.port}/hook")
    first = settle([], [OKX])
    outbox, _ = send(settings, first)
    send(settings, settle(first.open, [Alert(OKX.cause, None)]), outbox)
    assert [post["text"] for post in server.posts["hook"]] == ["okx is dead\nlook at its run"]


@pytest.mark.parametrize("text", ["slack//token", "fatal=json://host", "@OKX=json://host", "@=json://host"])
def test_a_route_that_cannot_be_read_is_named_by_number_alone(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(f"json://fine {text}")
    assert str(error.value).startswith("MDPLATFORM_ALERTS: route 2 must read")
    assert text not in str(error.value)


def test_no_secret_is_logged_or_shown(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.status = 500
    sent = f"error={server.url('hush')} nonsense://swordfish"
    with caplog.at_level(logging.DEBUG):
        _, problems = send(by(sent), settle([], [OKX]))
    assert len(problems) == 2
    text = f"{sent} tgram://123456789:secret_bot_token/-1001234"
    shown = dict((name, value) for name, value, _ in load({"MDPLATFORM_ALERTS": text}).shown())["MDPLATFORM_ALERTS"]
    said = "\n".join([*problems, caplog.text, shown, repr(parse(text)), repr(by(text))])
    for secret in ("swordfish", "hush", "secret_bot_token", "123456789", "-1001234"):
        assert secret not in said
    assert shown == "error=json://*** nonsense://*** tgram://***"


def test_the_command_says_of_each_route_whether_it_works(server: Server) -> None:
    text = f"{server.url('all')} @kraken={server.url('kraken')} json://127.0.0.1:1/nobody"
    answer = called(
        "alerts", "test", "--venue", "okx", environ={"MDPLATFORM_ALERTS": text, "MDPLATFORM_ALERT_WEBHOOK": ""}
    )
    assert answer.returncode == 1
    assert [line.split()[0] for line in answer.stdout.decode().splitlines()] == ["ok", "-", "FAILED"]
    assert server.titles("all") == ["mdplatform: error", "mdplatform: over"]
    assert b"swordfish" not in answer.stdout + answer.stderr
