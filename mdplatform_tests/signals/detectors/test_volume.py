"""A volume spike is found once, when several exchanges have it at the same time."""

from typing import Any

import pytest

from mdplatform.core.events import FeedStatus
from mdplatform.signals.detectors.volume import VolumeDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import ns, trade

QUIET_S = 60
SPIKE_S = 5


def found(exchanges: tuple[str, ...], times: float, provenance: str = "live") -> list[Signal]:
    """Ten trades of 1 a second on two exchanges; then, on those named, so many times as much for five seconds."""
    detector = VolumeDetector(ratio=5, exchanges=2, window_s=5)
    signals = []
    for tenth in range((QUIET_S + SPIKE_S) * 10):
        for exchange in ("binance", "okx"):
            spikes = tenth >= QUIET_S * 10 and exchange in exchanges
            signals.append(
                detector.take(
                    trade(
                        times if spikes else 1.0,
                        tenth / 10,
                        exchange=exchange,
                        provenance=provenance if spikes else "live",
                    )
                )
            )
    return [signal for signal in signals if signal is not None]


def test_a_spike_on_two_exchanges_is_found_once_with_both() -> None:
    (signal,) = found(("binance", "okx"), times=10)
    assert (signal.kind, signal.exchanges, signal.scope) == ("volume_spike", ("binance", "okx"), "symbol")
    assert signal.evidence["usual"] == 100  # of both, in five seconds


def test_a_spike_on_one_exchange_is_none() -> None:
    assert found(("binance",), times=10) == []


def test_less_than_the_ratio_is_none() -> None:
    assert found(("binance", "okx"), times=4) == []


def test_what_was_filled_in_later_is_no_spike() -> None:
    assert found(("binance", "okx"), times=10, provenance="rest") == []


def test_nothing_is_unusual_before_the_usual_is_known() -> None:
    detector = VolumeDetector(ratio=5, exchanges=1, window_s=5)
    assert [detector.take(trade(1.0 if n < 200 else 50.0, n / 10)) for n in range(300)] == [None] * 300


def test_one_large_trade_is_no_spike() -> None:
    detector = VolumeDetector(ratio=5, exchanges=1, window_s=5)
    assert [detector.take(trade(1000.0 if n == 59 else 1.0, n)) for n in range(60)] == [None] * 60


DOWN_S = (62, 102)  # two thirds of the minute before


def status(state: Any, from_s: float, until_s: float | None = None, **fields: Any) -> FeedStatus:
    ended_ns = None if until_s is None else ns(until_s)
    return FeedStatus("binance", "BTC-USDT", "trades", state, "cut", ns(from_s), ended_ns, **fields)


def ratio_after_an_outage(statuses: list[FeedStatus], filled: float = 0.0) -> float:
    """Ten trades of 1 a second, none while the feed is down; then 1.23 times as much for five seconds."""
    detector = VolumeDetector(ratio=0.01, exchanges=1, window_s=5)
    found = 0.0
    for tenth in range(0, 1080):
        at_s = tenth / 10
        if DOWN_S[0] <= at_s < DOWN_S[1]:
            continue
        if tenth == DOWN_S[1] * 10:
            for each in statuses:
                detector.note(each)
            for second in range(*DOWN_S) if filled else ():
                detector.take(trade(filled, second, provenance="rest"))
        detector.take(trade(1.23 if at_s >= 103 else 1.0, at_s))
        found = detector._rings["binance", "BTC-USDT"].ratio
    return found


def test_an_outage_makes_nothing_unusual() -> None:
    down = [status("down", DOWN_S[0]), status("valid", DOWN_S[1])]
    assert ratio_after_an_outage(down) == 0.0  # too little is known
    assert ratio_after_an_outage([]) > 2.5  # the fault that this is about


@pytest.mark.parametrize("extended", [True, False])
def test_a_short_outage_leaves_the_rest_of_the_minute_as_what_is_usual(extended: bool) -> None:
    detector = VolumeDetector(ratio=0.01, exchanges=1, window_s=5)
    for tenth in range(0, 900):
        if 300 <= tenth < 500 and tenth != 300:
            continue
        if tenth == 500:
            detector.note(status("down", 30, 50 if extended else None))
            detector.note(status("valid", 50))
        detector.take(trade(1.23 if tenth >= 850 else 1.0, tenth / 10))
    assert detector._rings["binance", "BTC-USDT"].ratio == pytest.approx(1.23, rel=0.03)


def test_trades_filled_in_later_are_part_of_what_is_usual() -> None:
    """The collector says that the interval was made good; its trades come by REST."""
    statuses = [
        status("gap", DOWN_S[0], DOWN_S[1], missed=400),
        status("valid", DOWN_S[1]),
        status("gap", DOWN_S[0], DOWN_S[1], missed=0),
    ]
    detector = VolumeDetector(ratio=0.01, exchanges=1, window_s=5)
    for tenth in range(0, 1120):
        if DOWN_S[0] * 10 <= tenth < DOWN_S[1] * 10:
            continue
        if tenth == 1070:  # five seconds later
            for each in statuses:
                detector.note(each)
            for second in range(*DOWN_S):
                detector.take(trade(10.0, second, provenance="rest"))
        detector.take(trade(1.23 if tenth >= 1070 else 1.0, tenth / 10))
    assert detector._rings["binance", "BTC-USDT"].ratio == pytest.approx(1.23, rel=0.03)


def test_where_one_of_two_collectors_went_on_nothing_is_unknown() -> None:
    other = status("valid", 0, collector="B")
    assert ratio_after_an_outage([other, status("down", DOWN_S[0]), status("valid", DOWN_S[1])]) > 2.5
