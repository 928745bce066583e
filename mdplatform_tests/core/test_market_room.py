"""Who finds a place where there are few."""

from __future__ import annotations

import pytest

from mdplatform.core.errors import MessageError
from mdplatform.core.market_room import QUIET_NS, SETTLED, MarketRoom

BTC, ETH, SOL = (("binance", f"{base}-USDT") for base in ("BTC", "ETH", "SOL"))


def settled(*keys: tuple[str, str], most: int = 2) -> MarketRoom:
    room = MarketRoom(most)
    for key in keys * SETTLED:
        assert room.admit(key, 0) is None
    return room


def test_a_newcomer_takes_the_place_of_the_newcomer_longest_silent() -> None:
    room = settled()
    assert [room.admit(key, 0) for key in (BTC, ETH, BTC, SOL)] == [None, None, None, ETH]
    assert [room.has(key[1]) for key in (BTC, ETH, SOL)] == [True, False, True]


def test_a_market_that_goes_on_keeps_its_place() -> None:
    room = settled(BTC)
    gone = [room.admit(("binance", f"X{number}"), 0) for number in range(1000)]
    assert (gone[0], {key[1] for key in gone[1:] if key}, len(room)) == (None, {f"X{n}" for n in range(999)}, 2)
    assert room.has("BTC-USDT")


def test_one_more_than_there_is_room_for_is_refused_until_another_is_quiet() -> None:
    room = settled(BTC, ETH)
    with pytest.raises(MessageError, match="2 markets"):
        room.admit(SOL, QUIET_NS - 1)
    room.admit(BTC, QUIET_NS)
    assert room.admit(SOL, QUIET_NS) == ETH
    assert len(room) == 2


def test_who_leaves_gives_back_the_place() -> None:
    room = settled(BTC, ETH)
    room.leave(ETH)
    room.leave(ETH)
    assert (room.admit(SOL, 0), len(room)) == (None, 2)


def test_a_symbol_is_known_while_one_exchange_has_it() -> None:
    room = MarketRoom(3)
    for exchange in ("binance", "okx"):
        room.admit((exchange, "BTC-USDT"), 0)
    room.leave(("okx", "BTC-USDT"))
    assert room.has("BTC-USDT")
    room.leave(BTC)
    assert not room.has("BTC-USDT")
