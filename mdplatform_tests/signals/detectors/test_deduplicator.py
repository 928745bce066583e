"""What is found again within the cooldown, in either direction of time, is kept back."""

import msgspec

from mdplatform.signals.detectors.deduplicator import Deduplicator
from mdplatform.signals.detectors.liquidations import LiquidationDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import ns, trade


def signal(at_s: float, exchange: str = "okx") -> Signal:
    found = LiquidationDetector(1, 10).take(trade(1.0, at_s, exchange=exchange))
    assert found is not None
    return found


def test_the_same_within_the_cooldown_is_kept_back() -> None:
    cooldown = Deduplicator(30)
    cooldown.remember(signal(100))
    assert [cooldown.admits(signal(at_s)) for at_s in (60, 80, 100, 129, 130)] == [True, False, False, False, True]


def test_a_signal_of_the_symbol_is_the_same_on_every_exchange() -> None:
    cooldown = Deduplicator(30)
    cooldown.remember(signal(100))
    assert not cooldown.admits(signal(101, exchange="bybit"))


def test_a_signal_of_one_market_says_nothing_of_another() -> None:
    cooldown = Deduplicator(30)
    cooldown.remember(msgspec.structs.replace(signal(100), scope="market"))
    assert cooldown.admits(msgspec.structs.replace(signal(101, exchange="bybit"), scope="market"))


def test_another_direction_is_another_signal() -> None:
    cooldown = Deduplicator(30)
    cooldown.remember(signal(100))
    assert cooldown.admits(msgspec.structs.replace(signal(100), direction="sell", venue_ns=ns(100)))
