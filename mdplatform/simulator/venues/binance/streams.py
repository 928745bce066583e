"""What Binance's venues share of their sockets: named streams, raw or combined, and the control frames.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

import msgspec

from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.feed import Feed, Fills, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer

MICRO = "?us"  # marks the topics of connections opened with timeUnit=MICROSECOND
STREAMS_A_CONNECTION = 1024

LIMITS = ConnectionLimits(
    ping_every_s=20.0,
    pong_within_s=60.0,
    lifetime_s=86_400.0,
    notice_s=600.0,
    messages=(5.0, 5.0),
    connects=(1.0, 300.0),
    requests=(1_000.0, 300_000.0),
)


class StreamsFeed(Feed):
    """The streams of one symbol: topics are their names, `btcusdt@trade`."""

    gone = None

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self.name = self.symbol.lower()
        self._fills = Fills()

    def aggregate_text(self, trades: list[Trade], ns: int, unit: int) -> str:
        """The aggTrade of these."""
        raise NotImplementedError

    def publish(self, ns: int, channel: str, write: Callable[[Any, int, int], str], subject: Any) -> Iterator[Frame]:
        """The frame for its subscribers, in either time unit: ``write(subject, ns, ns a unit)``."""
        topic = f"{self.name}@{channel}"
        for mark, unit in (("", 1_000_000), (MICRO, 1_000)):
            if topic + mark in self.wanted:
                yield self.frame_on(topic + mark, channel, write(subject, ns, unit), ns)

    def aggregated(self, trade: Trade | None) -> Iterator[Frame]:
        """Fills of one taker's order at one price make one aggregate; it is out when the next begins."""
        if done := self._fills.ended_by(trade):
            yield from self.publish(done[0].ns, "aggTrade", self.aggregate_text, done)


class StreamsExchange(Exchange):
    """Subscriptions by path or by SUBSCRIBE; any name is acknowledged."""

    def topic(self, peer: Peer, stream: str) -> str:
        """The topic that a subscription to this stream joins."""
        return stream + MICRO if peer.microseconds else stream

    def join_path(self, peer: Peer, streams: str) -> None:
        """The streams that the path itself asks for."""
        for stream in filter(None, streams.split("/")):
            self.join(peer, self.topic(peer, stream))

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        if not peer.combined:
            return frame.body
        return b'{"stream":"%s","data":%s}' % (_stream(frame.topic).encode(), frame.body)

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            request = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            peer.reply(msgspec.json.encode({"code": 3, "msg": f"Invalid JSON: {error}"}))
            return
        wrong = _wrong(request)
        if wrong:
            known = isinstance(request, dict) and isinstance(request.get("id"), int | str)
            answer = {"code": 2, "msg": f"Invalid request: {wrong}"} | ({"id": request["id"]} if known else {})
        else:
            answer = self._do(peer, request)
        peer.reply(msgspec.json.encode(answer))

    def farewell(self, peer: Peer, now_ns: int) -> None:
        unit = 1_000 if peer.microseconds else 1_000_000
        body = b'{"e":"serverShutdown","E":%d}' % (now_ns // unit)
        peer.reply(b'{"stream":"!serverShutdown","data":%s}' % body if peer.combined else body)

    def _do(self, peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out a request that is well formed."""
        number, streams = request.get("id"), request.get("params", [])
        if request["method"] == "LIST_SUBSCRIPTIONS":
            return {"result": [_stream(topic) for topic in peer.topics], "id": number}
        topics = [self.topic(peer, stream) for stream in streams]
        if request["method"] == "UNSUBSCRIBE":
            self.leave(peer, topics)
        elif len({*peer.topics, *topics}) > STREAMS_A_CONNECTION:
            return {"code": 2, "msg": f"Invalid request: above {STREAMS_A_CONNECTION} streams", "id": number}
        else:
            for topic in topics:  # a name that no stream has is acknowledged too, and stays silent
                self.join(peer, topic)
        return {"result": None, "id": number}


def _wrong(request: Any) -> str | None:
    """What is wrong with a control frame, in the venue's words."""
    if not isinstance(request, dict):
        return "request must be an object"
    number = request.get("id")
    if isinstance(number, bool) or not isinstance(number, int | str | None) or len(str(number)) > 36:
        return "request ID must be an integer, a string of at most 36 characters or null"
    if request.get("method") not in ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"):
        return f"unknown method {request.get('method')!r}"
    params = request.get("params", [] if request["method"] == "LIST_SUBSCRIPTIONS" else None)
    if not isinstance(params, list) or not all(isinstance(stream, str) for stream in params):
        return "params must be a list of strings"
    return None


def boolean(value: bool) -> str:
    return "true" if value else "false"


def _stream(topic: str) -> str:
    """The stream's name, without what is ours of the topic."""
    return topic.partition("?")[0]
