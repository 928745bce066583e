"""A volume spike is found once, when several exchanges have it at the same time."""

from mdplatform.consumers.detectors.volume import VolumeDetector
from mdplatform.consumers.signal import Signal
from mdplatform_tests.consumers.touches import trade

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


def test_one_large_print_is_no_spike() -> None:
    detector = VolumeDetector(ratio=5, exchanges=1, window_s=5)
    assert [detector.take(trade(1000.0 if n == 59 else 1.0, n)) for n in range(60)] == [None] * 60
