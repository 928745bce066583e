"""A session of Deribit under test, and what is said to it."""

from typing import Any

import msgspec

from mdplatform.core.events import Book, DeadLetter, FeedStatus, Liquidation
from mdplatform.core.session import Authenticates, Credentials, Output, Send, Session
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue

DERIBIT = venue("deribit")
CREDENTIALS = Credentials("the-id", "the-secret")
LOGIN = {"grant_type": "client_credentials", "client_id": "the-id", "client_secret": "the-secret"}
Frame = dict[str, Any]


def instruments(*symbols: str) -> Instruments:
    known = DERIBIT.known_instruments()
    known.add(
        Instrument(
            exchange="deribit",
            venue_symbol="BTC-25DEC26-100000-C",
            base="BTC",
            quote="USD",
            kind=Kind.OPTION,
            expiry="20261225",
            strike="100000",
            right="C",
        )
    )
    return known.select(symbols or ("BTC-USD-PERP",))


def session(
    *symbols: str, channels: tuple[str, ...] = ("book", "trades"), credentials: Credentials | None = None
) -> Session:
    facts = DERIBIT
    if credentials is not None:
        assert isinstance(facts, Authenticates)
        facts = facts.with_credentials(credentials)
    (line,) = facts.plan_connections(instruments(*symbols), channels)
    return line.session


def connected(*symbols: str, **options: Any) -> Session:
    opened = session(*symbols, **options)
    opened.connected("c1", 0)
    return opened


def calls(outputs: list[Output], method: str = "") -> list[Frame]:
    decoded = [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]
    return [call for call in decoded if call["method"].endswith(method)]


def tell(opened: Session, frame: Frame, at_ns: int) -> list[Output]:
    return opened.receive(msgspec.json.encode({"jsonrpc": "2.0"} | frame), at_ns)


def confirm(opened: Session, call: Frame, at_ns: int) -> list[Output]:
    """The venue does what it is asked for."""
    result: Any = "ok"
    if "channels" in call["params"]:
        result = call["params"]["channels"]
    elif call["method"] == "public/auth":
        result = {"access_token": "token-a", "refresh_token": "token-r", "expires_in": 900, "scope": "connection"}
    elif call["method"] == "public/test":
        result = {"version": "1.2.26"}
    return tell(opened, {"id": call["id"], "result": result}, at_ns)


def refuse(opened: Session, call: Frame, code: int, message: str, at_ns: int) -> list[Output]:
    return tell(opened, {"id": call["id"], "error": {"code": code, "message": message}}, at_ns)


def change(previous: int | None, last: int, name: str = "BTC-PERPETUAL") -> Frame:
    data = {
        "type": "snapshot" if previous is None else "change",
        "timestamp": 1795255200000,
        "instrument_name": name,
        "change_id": last,
        "prev_change_id": previous,
        "bids": [["new", 64000.0, 100.0 + last]],
        "asks": [["new", 64001.0, 100.0]],
    }
    return {"method": "subscription", "params": {"channel": f"book.{name}.100ms", "data": data}}


def row(number: int) -> Frame:
    return {
        "trade_seq": number,
        "trade_id": f"id{number}",
        "timestamp": 1795255200000,
        "price": 64000.0,
        "amount": 10.0,
        "direction": "buy",
        "instrument_name": "BTC-PERPETUAL",
    }


def trades(*numbers: int) -> Frame:
    channel = "trades.BTC-PERPETUAL.100ms"
    return {"method": "subscription", "params": {"channel": channel, "data": [row(n) for n in numbers]}}


def sequences(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def states(outputs: list[Output]) -> list[tuple[str, str, str]]:
    return [(o.symbol, o.state, o.cause) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def forced(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(output.id, output.side) for output in outputs if isinstance(output, Liquidation)]


def letters(outputs: list[Output]) -> list[str]:
    return [output.error for output in outputs if isinstance(output, DeadLetter)]
