"""A recording through a venue's rules: one JSON object a line, everything counted."""

import json

import pytest

from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.player import Summary

SNAPSHOT = b'1790000000.0 {"lastUpdateId":5,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}'


def diff(first: int, last: int, second: float) -> bytes:
    data = {"e": "depthUpdate", "E": 1790000000000, "s": "BTCUSDT", "U": first, "u": last, "b": [], "a": []}
    return f"{1790000000 + second} ".encode() + json.dumps({"stream": "btcusdt@depth@100ms", "data": data}).encode()


def trade(symbol: str, number: int, second: int = 1) -> bytes:
    data = {"e": "trade", "s": symbol, "t": number, "p": "1.50", "q": "2.0", "T": 1790000000000, "m": True}
    return f"179000000{second} ".encode() + json.dumps({"stream": f"{symbol.lower()}@trade", "data": data}).encode()


def types(lines: list[bytes], **options: tuple[str, ...]) -> list[str]:
    return [json.loads(message)["type"] for message in normalize("binance", lines, **options)]


def test_the_type_comes_first_and_numbers_stay_as_sent() -> None:
    message = next(line for line in normalize("binance", [trade("BTCUSDT", 1)]) if b'"trade"' in line)
    assert message.startswith(
        b'{"type":"trade","exchange":"binance","symbol":"BTC-USDT","id":"1","price":1.50,"qty":2.0'
    )


def test_a_snapshot_may_come_before_or_after_the_diffs_it_joins() -> None:
    for lines in ([SNAPSHOT, diff(4, 6, 1)], [diff(4, 6, 1), SNAPSHOT]):
        assert types(lines).count("book") == 1


def test_a_snapshot_that_joins_nothing_changes_nothing() -> None:
    assert types([diff(40, 60, 1), SNAPSHOT]).count("book") == 0


def test_intervals_are_extended_by_the_lines_times_only() -> None:
    lines = [SNAPSHOT, *(diff(6 + n, 6 + n, 0.5 * n) for n in range(40))]
    statuses = [m for m in map(json.loads, normalize("binance", lines)) if m["type"] == "status"]
    ends = [(m["ended_ns"] - 1790000000 * 10**9) / 10**9 for m in statuses if m["state"] == "valid" and m["ended_ns"]]
    assert ends == [4.5, 9.5, 14.5, 19.5]


def test_one_wrong_time_does_not_stop_the_clock() -> None:
    lines = [SNAPSHOT, *(diff(6 + n, 6 + n, 0.5 * n) for n in range(40))]
    wrong = trade("BTCUSDT", 1).replace(b"1790000001", b"8790000001")
    statuses = [m for m in map(json.loads, normalize("binance", [*lines[:3], wrong, *lines[3:]]))]
    ends = [m["ended_ns"] for m in statuses if m["type"] == "status" and m["channel"] == "book" and m["ended_ns"]]
    assert ends[-1] == 1790000019_500000000
    assert len([m for m in statuses if m["type"] == "book"]) == 40


def test_channels_choose_what_gives_events() -> None:
    lines = [SNAPSHOT, diff(4, 6, 1), trade("BTCUSDT", 1)]
    assert set(types(lines, channels=("trade",))) == {"trade", "status"}
    assert "trade" not in types(lines, channels=("book",))


def test_symbols_choose_whose_events_are_kept() -> None:
    lines = [trade("BTCUSDT", 1), trade("ETHUSDT", 1)]
    messages = [json.loads(line) for line in normalize("binance", lines, symbols=("ETH-USDT",))]
    assert {message["symbol"] for message in messages} == {"ETH-USDT"}


def test_an_instrument_list_may_be_given() -> None:
    listed = b'{"symbols":[{"symbol":"XYZABC","status":"TRADING","baseAsset":"XYZ","quoteAsset":"ABC"}]}'
    messages = [json.loads(line) for line in normalize("binance", [trade("XYZABC", 1)], instruments=[listed])]
    assert messages[-1]["symbol"] == "XYZ-ABC"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"symbols": ("NO-SUCH",)}, "does not list NO-SUCH"),
        ({"channels": ("nosuch",)}, "unknown channel 'nosuch'"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_read(
    options: dict[str, tuple[str, ...]], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        normalize("binance", iter(()), **options)


def test_a_bad_instrument_list_is_refused() -> None:
    with pytest.raises(FrameError, match="exchangeInfo"):
        normalize("binance", iter(()), instruments=[b"{}"])


def test_everything_is_counted() -> None:
    summary = Summary()
    lines = [trade("BTCUSDT", 1), trade("BTCUSDT", 1), b"no line", b"1790000003 {}", diff(1, 2, 4)]
    events = list(normalize("binance", lines, summary=summary))
    assert summary.frames == 4
    assert sum(summary.events.values()) == len(events)
    assert summary.dead_letters == {"unreadable_line": 1, "unknown_message": 1}
    assert summary.ignored == {"duplicate_trade": 1}
    assert summary.commands == {"fetch": 1}
    assert summary.text().startswith("4 frames; events: dead_letter 2, ")
