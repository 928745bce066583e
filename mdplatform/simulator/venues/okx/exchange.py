"""OKX V5: sockets and subscriptions. https://www.okx.com/docs-v5/en/#overview-websocket"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.protocol.exchange import SECOND, Answer, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.venues.okx import rest
from mdplatform.simulator.venues.okx.feed import PUBLISH_NS, VENUE, OkxFeed
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, lists, pays_funding

LIMITS = ConnectionLimits(
    lifetime_s=7 * 86_400.0,  # an upgrade a week
    notice_s=60.0,
    subscribe_within_s=30.0,
    messages=(480 / 3600, 480.0),
    connects=(3.0, 3.0),
    requests=(20.0, 40.0),
)
_IDLE_NS = 30 * SECOND
_BYTES = 64 * 1024  # of the arguments of a request
_BY_INSTRUMENT = ("books", "books5", "bbo-tbt", "trades", "mark-price", "funding-rate")
_SPOT_HAS = ("books", "books5", "bbo-tbt", "trades", "trades-all")
_FOR_MEMBERS = ("books-l2-tbt", "books50-l2-tbt")


class OkxExchange(Exchange):
    """The public and the business socket. Each argument of a subscription is answered by itself.

    480 requests an hour and connection, 64 KB a request (documented 2026-06); by which texts more is refused is not.
    """

    venue = VENUE
    default_limits = LIMITS
    lists = ("/public/instruments",)

    def accepts(self, path: str) -> bool:
        return path in ("/ws/v5/public", "/ws/v5/business")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes.update(business=path.endswith("business"), conn=f"{peer.number:08x}", sent=0, sent_ns=peer.opened_ns)

    def message(self, peer: Peer, message: bytes, now_ns: int) -> None:
        if message == b"ping":  # does not count as a request
            peer.received_ns = now_ns
            peer.reply(b"pong")
            return
        super().message(peer, message, now_ns)

    def overrun(self, peer: Peer) -> None:
        self._refuse(peer, None, "60014", "Requests too frequent.")

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            if len(message) > _BYTES:
                raise msgspec.DecodeError("too long")
            request = _read_request(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = message.decode(errors="replace")[:200]
            self._refuse(peer, None, "60012", f"Invalid request: {text}")
            return
        for arg in request.args:
            topic, refusal = self._topic(peer, arg)
            if topic is None:
                self._refuse(peer, request.id, *refusal)
                continue
            fresh = topic not in peer.topics
            if request.op == "unsubscribe":
                self.leave(peer, [topic])
            elif fresh:
                self._join(peer, topic)
            reply = {"event": request.op, "arg": arg, "connId": peer.notes["conn"]}
            peer.reply(msgspec.json.encode(reply if request.id is None else {"id": request.id, **reply}))
            if request.op == "subscribe" and fresh:
                self._greet(peer, topic, now_ns)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if peer.sent != peer.notes["sent"]:
            peer.notes.update(sent=peer.sent, sent_ns=now_ns)
        elif now_ns - peer.notes["sent_ns"] > _IDLE_NS:
            peer.close(4004, "No data received in 30s.")

    def farewell(self, peer: Peer, now_ns: int) -> None:
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        notice = {"event": "notice", "code": "64008", "msg": text, "connId": peer.notes["conn"]}
        peer.reply(msgspec.json.encode(notice))

    def markets_of(self, topic: str) -> Iterable[str]:
        channel, _, name = topic.partition(":")
        if channel == "liquidation-orders":
            return [key for key, one in self.markets.instruments.items() if INST_TYPES[one.kind] == name]
        return [f"{name}-SWAP" if channel == "index-tickers" else name]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return rest.respond(self.markets, path, query, now_ns)

    def too_many(self, retry_s: int) -> Answer:
        return rest.too_many()

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        """After the lists, by which alone contracts can be read."""
        self.opened(peer, "/ws/v5/public", {})
        for kind in INST_TYPES.values():
            peer.reply(self.respond("/api/v5/public/instruments", {"instType": kind}, peer.opened_ns).body)
        listed = self.markets.instruments.items()
        args = [{"channel": c, "instId": n} for n, one in listed for c in _BY_INSTRUMENT if self._has(c, one, peer)]
        args += [
            {"channel": "index-tickers", "instId": name[:-5]} for name, one in listed if one.kind is Kind.PERPETUAL
        ]
        args += [{"channel": "liquidation-orders", "instType": kind} for kind in ("SWAP", "FUTURES")]
        yield msgspec.json.encode({"id": "1", "op": "subscribe", "args": args})

    def _topic(self, peer: Peer, arg: dict[str, str]) -> tuple[str | None, tuple[str, str]]:
        """What an argument subscribes to; None and the refusal (code, text) where there is no such thing."""
        channel, name = arg.get("channel", ""), arg.get("instId", "")
        if channel in _FOR_MEMBERS:
            return None, ("64003", "Your trading fee tier doesn't meet the requirement to access this channel.")
        if channel == "liquidation-orders":
            name = arg.get("instType", "")
            known = name in ("SWAP", "FUTURES", "OPTION", "MARGIN") and not peer.notes["business"]
        elif channel == "index-tickers":
            known = f"{name}-SWAP" in self.markets and not peer.notes["business"]
        else:
            known = name in self.markets and self._has(channel, self.markets.instruments[name], peer)
        if known:
            return f"{channel}:{name}", ("", "")
        what = f"channel:{channel},inst{'Type' if channel == 'liquidation-orders' else 'Id'}:{name}"
        return None, (
            "60018",
            f"Wrong URL or {what} doesn't exist. Please use the correct URL, channel and parameters.",
        )

    def _has(self, channel: str, instrument: Instrument, peer: Peer) -> bool:
        """Whether this socket serves the channel for this instrument."""
        served = ("trades-all",) if peer.notes["business"] else _BY_INSTRUMENT
        if channel not in served or (channel == "funding-rate" and not pays_funding(instrument)):
            return False
        return instrument.kind is not Kind.SPOT or channel in _SPOT_HAS

    def _refuse(self, peer: Peer, number: str | None, code: str, text: str) -> None:
        answer: dict[str, Any] = {"event": "error", "code": code, "msg": text, "connId": peer.notes["conn"]}
        peer.reply(msgspec.json.encode(answer if number is None else {"id": number, **answer}))

    def _join(self, peer: Peer, topic: str) -> None:
        begins = topic not in self.topics
        self.join(peer, topic)
        channel, _, name = topic.partition(":")
        if begins and channel == "books":
            self._feed(name).rebase()

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        """What a new subscription begins with: the state, or for liquidations a stale one."""
        channel, _, name = topic.partition(":")
        match channel:
            case "books":
                frame = self._feed(name).snapshot(now_ns)
                peer.offer(frame, frame.body)
            case "bbo-tbt":
                frame = self._feed(name).best(now_ns)
                peer.offer(frame, frame.body)
            case "funding-rate":
                peer.reply(self._feed(name).rate(None, now_ns).encode())
            case "mark-price":
                peer.reply(self._feed(name).mark(None, now_ns).encode())
            case "index-tickers":
                peer.reply(self._feed(f"{name}-SWAP").index(None, now_ns).encode())
            case "liquidation-orders":
                self._repeat(peer, topic)

    def _repeat(self, peer: Peer, topic: str) -> None:
        """The latest liquidation of the kind, again."""
        names = self.markets_of(topic)
        past = [(runner.liquidations[-1], name) for name in names if (runner := self.markets[name]).liquidations]
        if past:
            latest, name = max(past)
            peer.reply(self._feed(name).forced(latest, latest.ns).encode())

    def _feed(self, name: str) -> OkxFeed:
        return next(feed for feed in self.markets[name].feeds if isinstance(feed, OkxFeed))


class Request(msgspec.Struct):
    op: str
    args: list[dict[str, str]]
    id: str | None = None

    def __post_init__(self) -> None:
        if self.op not in ("subscribe", "unsubscribe") or not self.args:
            raise ValueError(f"no such request: {self.op}")


_read_request = msgspec.json.Decoder(Request).decode

ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((OkxExchange, OkxFeed),)),)
