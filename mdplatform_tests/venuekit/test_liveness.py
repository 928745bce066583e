"""When a connection is given up."""

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Reconnect
from mdplatform.venuekit.liveness import Liveness


def live() -> Liveness:
    liveness = Liveness(20 * SECOND)
    liveness.connected(0)
    return liveness


def test_a_request_that_is_not_acknowledged_in_ten_seconds_reconnects_once() -> None:
    liveness = live()
    liveness.awaits("1", 0)
    liveness.heard(9 * SECOND)
    assert liveness.tick(10 * SECOND) == []
    assert liveness.tick(11 * SECOND) == [Reconnect("subscribe_timeout")]
    assert liveness.tick(12 * SECOND) == []


def test_an_acknowledged_request_does_not() -> None:
    liveness = live()
    liveness.awaits("1", 0)
    liveness.acknowledged("1")
    assert liveness.tick(11 * SECOND) == []


def test_silence_reconnects() -> None:
    liveness = live()
    liveness.heard(5 * SECOND)
    assert liveness.tick(25 * SECOND) == []
    assert liveness.tick(26 * SECOND) == [Reconnect("silent")]


def test_a_closed_connection_asks_for_nothing() -> None:
    liveness = live()
    liveness.closed()
    assert liveness.tick(99 * SECOND) == []
