"""A session of OKX under test, and what is said to it."""

from typing import Any

import msgspec

from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.session import Output, Send, Session
from mdplatform.venues import venue

OKX = venue("okx")
Frame = dict[str, Any]


def session(*symbols: str, channels: tuple[str, ...] = ("books", "trades")) -> Session:
    (line,) = OKX.plan_connections(OKX.known_instruments().select(symbols or ("BTC-USDT",)), channels)
    return line.session


def connected(*symbols: str, channels: tuple[str, ...] = ("books", "trades")) -> Session:
    opened = session(*symbols, channels=channels)
    opened.connected("c1", 0)
    return opened


def subscribed(*symbols: str, channels: tuple[str, ...] = ("books", "trades")) -> Session:
    """One that the venue has confirmed everything to."""
    opened = session(*symbols, channels=channels)
    confirm_all(opened, opened.connected("c1", 0), 0)
    return opened


def book(previous: int, last: int, name: str = "BTC-USDT") -> Frame:
    data = {
        "asks": [["11", "1", "0", "1"]],
        "bids": [["10", "1", "0", "1"]],
        "ts": "1795255200000",
        "checksum": 0,
        "prevSeqId": previous,
        "seqId": last,
    }
    action = "snapshot" if previous == -1 else "update"
    return {"arg": {"channel": "books", "instId": name}, "action": action, "data": [data]}


def tell(opened: Session, frame: Frame, at_ns: int) -> list[Output]:
    return opened.receive(msgspec.json.encode(frame), at_ns)


def confirm(opened: Session, sent: Output, at_ns: int) -> list[Output]:
    """Every argument of a request is taken."""
    assert isinstance(sent, Send)
    request = msgspec.json.decode(sent.frame)
    replies = [{"id": request["id"], "event": request["op"], "arg": arg, "connId": "a1"} for arg in request["args"]]
    return [output for reply in replies for output in tell(opened, reply, at_ns)]


def confirm_all(opened: Session, outputs: list[Output], at_ns: int) -> None:
    """So are those of all requests among the outputs, and what is asked for then."""
    while outputs:
        outputs = [o for sent in outputs if isinstance(sent, Send) for o in confirm(opened, sent, at_ns)]


def refuse(opened: Session, number: str, message: str, at_ns: int) -> list[Output]:
    return tell(opened, {"id": number, "event": "error", "code": "60018", "msg": message, "connId": "a1"}, at_ns)


def requests(outputs: list[Output]) -> list[Frame]:
    return [msgspec.json.decode(o.frame) for o in outputs if isinstance(o, Send) and o.frame != b"ping"]


def sequences(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def states(outputs: list[Output]) -> list[tuple[str, str, str]]:
    return [(o.symbol, o.channel, o.state) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def names(request: Frame) -> list[str]:
    return [arg["channel"] + ":" + arg.get("instId", arg.get("instType")) for arg in request["args"]]
