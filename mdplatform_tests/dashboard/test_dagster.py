"""What the page reads of Dagster: from its webserver's measures, as Prometheus does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mdplatform.dashboard.dagster import KEPT_MS, Dagster
from mdplatform.metrics import measures
from mdplatform.metrics.measures import exposition

FAMILIES = (
    measures.HOURS_BEHIND.of([((), 2)]),
    measures.CHECK_FAILING.of([(("spread_hourly", "book_is_not_crossed"), 3), (("trades", "no_gaps"), 0)]),
    measures.STALE.of([(("topics/binance",), 1), (("topics/okx",), 0)]),
    measures.RUNS.of([(("hourly_build", "started"), 1)]),
    measures.ENDED.of([(("hourly_build", "failure"), 1)]),
)


class Webserver(BaseHTTPRequestHandler):
    """Answers /metrics as Dagster's webserver does, and counts."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(exposition(FAMILIES))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def webserver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Webserver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_failing_checks_stale_assets_and_runs_are_known(webserver: str) -> None:
    assert Dagster(webserver).known(0) == {
        "url": webserver,
        "behind": 2,
        "checks": 2,
        "failing": [{"asset": "spread_hourly", "check": "book_is_not_crossed", "hours": 3}],
        "stale": ["topics/binance"],
        "runs": [
            {"job": "hourly_build", "status": "started", "count": 1},
            {"job": "hourly_build", "status": "failure", "count": 1},
        ],
    }


def test_links_lead_to_the_address_that_browsers_know(webserver: str) -> None:
    found = Dagster(f"https://dagster.example/ {webserver}").known(0)
    assert (found["url"], found["behind"]) == ("https://dagster.example", 2)


def test_however_many_look_it_is_read_once_in_a_while(webserver: str) -> None:
    dagster, before = Dagster(webserver), Webserver.asked
    for now_ms in range(0, KEPT_MS, 500):
        dagster.known(now_ms)
    assert Webserver.asked == before + 1
    dagster.known(KEPT_MS)
    assert Webserver.asked == before + 2


def test_a_dagster_that_does_not_answer_is_one_line() -> None:
    found = Dagster("http://user:secret@127.0.0.1:1").known(0)
    assert "http://user:***@127.0.0.1:1/metrics does not answer" in found["cause"]


def test_without_an_address_nothing_is_asked() -> None:
    assert Dagster("").known(0) == {"url": "", "cause": "MDPLATFORM_DAGSTER_URL is not set"}
