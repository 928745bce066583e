"""The page over a real broker and a real socket."""

import dataclasses
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.dashboard.app import STATIC
from mdplatform.dashboard.server import Dashboard
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.dashboard.wire import BOOK, STATS, STATUS, TRADE, eventually, healthz, publish, serving, updates
from mdplatform_tests.metrics.scraping import scraped

NOWHERE = Settings(kafka_brokers="127.0.0.1:1")


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """A page without a broker, where none is needed."""
    with serving(NOWHERE) as url:
        yield url


def messages(settings: Settings) -> list[tuple[str, str]]:
    return [
        (settings.topic_books, BOOK),
        (settings.topic_trades.replace("{exchange}", "binance"), TRADE),
        (settings.topic_status, STATUS),
        (settings.topic_stats, STATS),
    ]


def status_of(url: str, path: str, **headers: str) -> int:
    """The HTTP status, redirections not followed."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_what_was_published_before_the_page_began_is_shown(kafka_settings: Settings) -> None:
    publish(kafka_settings.kafka_brokers, *messages(kafka_settings))
    with serving(kafka_settings) as url:
        assert eventually(lambda: healthz(url)["messages"] == 4)
        first = next(updates(url, "?feed=binance/BTC-USDT&base=BTC"))
    assert first["full"]
    assert [(row["bid"], row["ask"], row["state"]) for row in first["rows"]] == [("60000.10", "60000.30", "valid")]
    (detail,) = first["details"]
    assert [entry["id"] for entry in detail["prints"]] == ["7"]
    assert first["compared"] == [["binance", "BTC-USDT", [[1700000000, 60000.1, 60000.3]]]]
    assert first["connections"][0]["frames"] == 12


def test_prometheus_reads_what_the_page_knows(kafka_settings: Settings) -> None:
    publish(kafka_settings.kafka_brokers, *messages(kafka_settings), (kafka_settings.topic_books, "not JSON"))
    settings = dataclasses.replace(kafka_settings, dashboard_token="only-here")
    with serving(settings) as url:
        bearer = {"Authorization": "Bearer only-here"}
        with pytest.raises(HTTPError, match="401"):
            scraped(f"{url}/metrics")
        assert eventually(lambda: scraped(f"{url}/metrics", bearer)["mdplatform_page_messages_total"] == {(): 5})
        found = scraped(f"{url}/metrics", bearer)
    assert found["mdplatform_page_feeds"] == {(("exchange", "binance"), ("state", "valid")): 1}
    assert found["mdplatform_page_passed_over_total"] == {(("dataset", "books"), ("reason", "not_json")): 1}
    assert found["mdplatform_page_service_up"] == {(("service", "broker"),): 1, (("service", "warehouse"),): 0}
    assert found["process_resident_memory_bytes"][()] > 10e6


def test_topics_that_appear_later_are_read_too(kafka_settings: Settings) -> None:
    with serving(kafka_settings) as url:
        assert eventually(lambda: healthz(url)["broker"] == "reachable")
        publish(kafka_settings.kafka_brokers, *messages(kafka_settings))
        assert any(message["rows"] for message in updates(url))


def test_an_update_holds_only_what_changed(kafka_settings: Settings) -> None:
    other = BOOK.replace("BTC-USDT", "ETH-USDT")
    publish(kafka_settings.kafka_brokers, (kafka_settings.topic_books, BOOK), (kafka_settings.topic_books, other))
    with serving(kafka_settings) as url:
        assert eventually(lambda: healthz(url)["feeds"] == 2)
        stream = updates(url)
        assert len(next(stream)["rows"]) == 2
        publish(kafka_settings.kafka_brokers, (kafka_settings.topic_books, other.replace("60000.10", "60000.20")))
        changed = next(message["rows"] for message in stream if message["rows"])
        stream.close()
    assert [(row["symbol"], row["bid"]) for row in changed] == [("ETH-USDT", "60000.20")]


def test_the_page_survives_a_restart_of_the_broker(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker, serving(settings := Settings(kafka_brokers=broker.brokers)) as url:
        publish(broker.brokers, (settings.topic_books, BOOK))
        assert eventually(lambda: healthz(url)["messages"] == 1)
        broker.stop()
        assert eventually(lambda: healthz(url)["broker"] == "unreachable")
        with start_broker(tmp_path, port=broker.port):
            assert eventually(lambda: healthz(url)["broker"] == "reachable")
            publish(broker.brokers, (settings.topic_books, BOOK.replace("50000000001", "50000000002")))
            assert eventually(lambda: next(updates(url))["rows"][0]["sequence"] == "50000000002")


def test_an_unreachable_broker_is_shown_with_its_time(page: str) -> None:
    assert eventually(lambda: healthz(page)["broker"] == "unreachable")
    facts = next(updates(page))["health"]
    assert facts["since_ms"] > 0
    assert facts["cause"]


def test_the_page_and_each_file_that_it_names_are_served(page: str) -> None:
    named = re.findall(r'(?:src|href)="([^":]+)"', urlopen(f"{page}/", timeout=10).read().decode())
    assert len(named) >= 6
    assert {status_of(page, f"/{name}") for name in named} == {200}


@pytest.mark.parametrize("path", ["/nothing", "/static/page.js", "/../server.py", "/%2e%2e/server.py"])
def test_what_does_not_exist_is_not_found(page: str, path: str) -> None:
    assert status_of(page, path) == 404


def test_no_file_names_another_site() -> None:
    # Nobody fetches these: the namespace of SVG, and the link that the licence of the charts asks for.
    allowed = {"http://www.w3.org/2000/svg", "https://www.tradingview.com/"}
    for file in (path for path in STATIC.iterdir() if path.is_file()):
        addresses = re.findall(r"(?:https?:)?//[a-z0-9][\w.-]+\.[a-z]{2,}[^\s\"'`)]*", file.read_text())
        assert set(addresses) <= allowed, file.name


def test_the_browser_may_load_nothing_from_elsewhere(page: str) -> None:
    assert "default-src 'self'" in urlopen(f"{page}/", timeout=10).headers["Content-Security-Policy"]


def test_a_name_that_is_not_this_machine_is_refused(page: str) -> None:
    assert status_of(page, "/healthz", Host="rebound.example") == 403


def test_listening_beyond_loopback_needs_a_token() -> None:
    with pytest.raises(ConfigError, match=r"listening on 0\.0\.0\.0 needs MDPLATFORM_DASHBOARD_TOKEN"):
        Dashboard(NOWHERE, "0.0.0.0")


def test_a_page_with_a_token_asks_for_it() -> None:
    with serving(Settings(kafka_brokers="127.0.0.1:1", dashboard_token="let me in")) as url:
        assert status_of(url, "/") == 401
        assert status_of(url, "/healthz", Authorization="Bearer wrong") == 401
        assert status_of(url, "/healthz", Authorization="Bearer let me in") == 200


def test_a_token_in_the_address_becomes_a_cookie() -> None:
    with serving(Settings(kafka_brokers="127.0.0.1:1", dashboard_token="s3cret")) as url:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", "/?token=s3cret")
        answer = connection.getresponse()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        connection.close()
        with urlopen(Request(f"{url}/healthz", headers={"Cookie": cookie}), timeout=10) as allowed:
            assert allowed.status == 200


def test_a_taken_port_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            Dashboard(NOWHERE, port=port)


def test_the_page_cannot_be_written_to(page: str) -> None:
    with pytest.raises(HTTPError, match="405"):
        urlopen(Request(f"{page}/healthz", data=b"x"), timeout=10)
