"""A recording through ``normalize``, as decoded messages."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.player import Summary

Message = dict[str, Any]


def replay(venue_id: str, lines: Iterable[bytes]) -> tuple[list[Message], Summary]:
    """All messages, numbers with a fraction as Decimal (so that text is compared, not floats), and the summary."""
    summary = Summary()
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    return [decoder.decode(line) for line in normalize(venue_id, lines, summary=summary)], summary


def of(messages: list[Message], kind: str) -> list[Message]:
    return [message for message in messages if message["type"] == kind]


def intervals(messages: list[Message], channel: str) -> list[tuple[str, str, int | None]]:
    """(state, cause, missed) of each interval of a channel, in order of their openings."""
    seen: dict[tuple[Any, ...], tuple[str, str, int | None]] = {}
    for m in of(messages, "status"):
        if m["channel"] == channel:
            key = (m["symbol"], m["started_ns"], m["state"])
            seen.setdefault(key, (m["state"], m["cause"], m["missed"]))
    return list(seen.values())


def check_sound(message: Message) -> None:
    """Fails unless numbers are finite and above zero and a book is sorted and uncrossed."""
    if message["type"] == "trade":
        assert message["price"] > 0
        assert message["qty"] > 0
    if message["type"] == "book":
        bids, asks = message["b"], message["a"]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert not (bids and asks) or bids[0] < asks[0]
        assert all(0 < Decimal(x) < Decimal(10**18) for key in ("b", "bv", "a", "av") for x in message[key])
        assert len(bids) == len(message["bv"])
        assert len(asks) == len(message["av"])
