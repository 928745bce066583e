"""The live page: who sends half a request, or endless names, costs the others nothing."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from mdplatform.core.codec import encode
from mdplatform.core.settings import Settings
from mdplatform.dashboard import requests
from mdplatform.dashboard.app import STATIC
from mdplatform_tests.dashboard.wire import serving, updates
from mdplatform_tests.security.hostile import NOW_NS, Line, event

NOBODY = Settings(kafka_brokers="127.0.0.1:1", clickhouse_url="http://127.0.0.1:1")
PATIENCE_S = 20.0


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf",
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT",
    ],
)
def test_who_sends_half_a_request_is_hung_up_on(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "REQUEST_S", 0.3)
    with serving(NOBODY) as url, connected(url) as client:
        client.sendall(sent)
        while client.recv(65536):
            pass


def test_an_endless_head_is_hung_up_on() -> None:
    with serving(NOBODY) as url, connected(url) as client:
        head = b"GET / HTTP/1.1\r\n" + 10_000 * (b"X-Filler: " + b"x" * 4_000 + b"\r\n")
        with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
            client.sendall(head)


def test_a_stream_of_events_outlives_the_time_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "REQUEST_S", 0.3)
    with serving(NOBODY) as url:
        stream = updates(url)
        assert [next(stream)["full"] for _ in range(3)] == [True, False, False]
        stream.close()


def test_who_takes_no_answer_is_cut_off_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "SLOW_S", 0.3)
    asked = 100
    page = (STATIC / "vendor" / "lightweight-charts-5.2.1.mjs").stat().st_size
    with serving(NOBODY) as url, connected(url) as client:
        reads = updates(url)
        client.sendall(asked * b"GET /vendor/lightweight-charts-5.2.1.mjs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [next(reads)["full"] for _ in range(4)] == [True, False, False, False]  # three seconds
        taken = 0
        try:
            while part := client.recv(65536):
                taken += len(part)
        except ConnectionResetError:
            pass
        reads.close()
    assert 0 < taken < asked * page


def connected(url: str) -> socket.socket:
    host, _, port = urlsplit(url).netloc.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def test_what_has_not_changed_is_not_sent_again() -> None:
    line = Line()
    for dataset in ("books", "stats", "status"):
        line.take(dataset, encode(event(dataset))[1])
    browser = line.browsers[0]
    first, second = (browser.update(NOW_NS // 1_000_000 + later) for later in (0, 5_000))
    assert first is not None
    assert second is not None
    assert [len(first[name]) for name in ("rows", "connections", "details")] == [1, 1, 1]
    assert [second[name] for name in ("rows", "connections", "ended", "details")] == [[], [], [], []]


def test_a_connection_that_is_no_longer_shown_is_taken_back() -> None:
    line = Line()
    value = encode(event("stats"))[1]
    line.take("stats", value)
    line.browsers[0].update(0)
    for number in range(200):
        line.take("stats", value.replace(b"binance-1", b"other-%d" % number))
    update = line.browsers[0].update(1_000)
    assert update is not None
    assert update["ended"] == [("binance", "binance-1")]


def test_endless_causes_are_cut_and_endless_names_passed_over() -> None:
    line = Line()
    status = encode(event("status"))[1]
    line.take("status", status.replace(b'"snapshot"', b'"' + b"x" * 1_900 + b'"'))
    line.take("status", status.replace(b"BTC-USDT", b"B" * 1_000_000))
    update = line.browsers[0].update(NOW_NS // 1_000_000)
    assert update is not None
    assert [len(row["cause"]) for row in update["rows"]] == [120]
    assert line.board.passed_over.counts() == {"status": {"too_long": 1}}
