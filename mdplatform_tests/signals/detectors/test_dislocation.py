"""A dislocation is a bid above another exchange's ask that lasts."""

import msgspec

from mdplatform.signals.detectors.dislocation import DislocationDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import ns, touch


def found(*touches: tuple[str, float, float]) -> list[Signal]:
    """(exchange, bid, at_s) each, with the ask 0.1 above the bid."""
    detector = DislocationDetector(threshold_bps=20, hold_s=2)
    signals = [detector.take(touch(bid, bid + 0.1, at_s, exchange=exchange)) for exchange, bid, at_s in touches]
    return [signal for signal in signals if signal is not None]


def both(okx_bid: float, start_s: float, seconds: float) -> list[tuple[str, float, float]]:
    """Binance at 100 and OKX at its bid, ten times a second."""
    times = [start_s + n / 10 for n in range(int(seconds * 10))]
    return [pair for at_s in times for pair in (("binance", 100.0, at_s), ("okx", okx_bid, at_s))]


def test_a_bid_above_an_ask_that_lasts_is_found_once() -> None:
    (signal,) = found(*both(100.0, 0, 5), *both(101.0, 5, 20))
    assert (signal.exchanges, round(signal.value)) == (("okx", "binance"), 90)
    assert (signal.evidence["bid"], signal.evidence["ask"]) == (101.0, 100.1)


def test_prices_that_arrive_a_second_later_elsewhere_are_none() -> None:
    late = [("okx", 101.0, 5.0), ("binance", 100.0, 5.5), ("binance", 101.0, 6.0), ("okx", 101.0, 9.0)]
    assert found(*both(100.0, 0, 5), *late) == []


def test_a_feed_that_is_seconds_late_shows_none() -> None:
    """OKX arrives four seconds after the fact, with the jump at 5 s."""
    detector, signals = DislocationDetector(threshold_bps=20, hold_s=2), []
    for tenth in range(200):
        now, then = tenth / 10, tenth / 10 - 4
        for exchange, at_s in (("binance", now), ("okx", then)):
            bid = 101.0 if at_s >= 5 else 100.0
            late = msgspec.structs.replace(touch(bid, bid + 0.1, at_s, exchange=exchange), received_ns=ns(now))
            signals.append(detector.take(late))
    assert set(signals) == {None}


def test_less_than_the_threshold_is_none() -> None:
    assert found(*both(100.2, 0, 20)) == []


def test_an_exchange_silent_for_long_is_left_out() -> None:
    alone = [("okx", 101.0, 20 + n / 10) for n in range(100)]
    assert found(*both(100.0, 0, 5), *alone) == []


def test_it_is_found_again_once_it_was_over() -> None:
    assert len(found(*both(101.0, 0, 5), *both(100.0, 5, 5), *both(101.0, 10, 5))) == 2
