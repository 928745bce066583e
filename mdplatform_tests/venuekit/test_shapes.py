"""The fields of a frame by its kind, without symbols and numbers."""

import msgspec
import pytest

from mdplatform.venuekit import shapes


def fields(message: object) -> set[str]:
    return set(shapes.fields(msgspec.json.encode(message)) or ())


def test_fields_are_named_by_the_kind_of_frame_and_their_path() -> None:
    frame = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "data": [{"p": "1"}, {"p": "2", "RPI": False}]}
    kind = "publicTrade/snapshot"
    assert fields(frame) == {f"{kind} {path}" for path in ("topic", "type", "data", "data[].p", "data[].RPI")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"stream": "btcusdt@trade", "data": {"e": "trade"}}, {"stream": "ethusdt@trade", "data": {"e": "trade"}}),
        ({"topic": "/market/match:BTC-USDT", "data": 1}, {"topic": "/market/match:ETH-USDT", "data": 1}),
        ({"params": {"channel": "book.BTC-PERPETUAL.100ms"}}, {"params": {"channel": "book.ETH-PERPETUAL.100ms"}}),
        ({"result": {"XXBTZUSD": {"a": 1}}}, {"result": {"XETHZUSD": {"a": 1}}}),
    ],
)
def test_another_symbol_is_no_other_field(one: object, other: object) -> None:
    assert fields(one) == fields(other)


def test_what_is_no_object_has_no_fields() -> None:
    assert shapes.fields(b"pong") is None
    assert shapes.fields(b"[1,2]") is None
    assert shapes.fields(b"\xff") is None


def test_a_frame_of_whatever_depth_is_looked_at_without_an_error() -> None:
    """At some depth a frame can just be decoded, and walking through it would be one call too many."""
    for depth in range(700, 1100):
        found = shapes.fields(b'{"a":' * depth + b"1" + b"}" * depth)
        assert found is None or len(found) < 100
