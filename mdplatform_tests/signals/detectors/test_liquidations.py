"""A cascade is many liquidations of one side within the window, on whichever exchange they are."""

from mdplatform.signals.detectors.liquidations import LiquidationDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import trade


def found(*orders: tuple[float, str, str]) -> list[Signal]:
    """(at_s, side, exchange) each."""
    detector = LiquidationDetector(orders=5, window_s=10)
    signals = [detector.take(trade(2.0, at_s, exchange=exchange, side=side)) for at_s, side, exchange in orders]
    return [signal for signal in signals if signal is not None]


def test_five_within_the_window_are_a_cascade_over_exchanges() -> None:
    (signal,) = found(*[(n, "sell", "bybit" if n % 2 else "okx") for n in range(5)])
    assert (signal.value, signal.direction, signal.exchanges) == (5, "sell", ("bybit", "okx"))
    assert signal.evidence["orders"] == {"okx": 3, "bybit": 2}
    assert (signal.evidence["size"], signal.evidence["worth"]) == (10.0, 1000.0)


def test_the_rest_of_a_cascade_is_not_found_again() -> None:
    assert len(found(*[(n * 0.5, "sell", "okx") for n in range(60)])) == 1


def test_a_cascade_after_quiet_is_a_new_one() -> None:
    assert len(found(*[(n, "sell", "okx") for n in (0, 1, 2, 3, 4, 60, 61, 62, 63, 64)])) == 2


def test_fills_of_one_order_are_one() -> None:
    assert found(*[(n // 5, "sell", "deribit") for n in range(20)]) == []


def test_both_sides_together_are_no_cascade() -> None:
    assert found(*[(n, ("buy", "sell")[n % 2], "okx") for n in range(8)]) == []


def test_slower_than_the_window_is_no_cascade() -> None:
    assert found(*[(n * 3, "sell", "okx") for n in range(20)]) == []
