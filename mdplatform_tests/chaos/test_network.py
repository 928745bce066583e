"""Networks are cut, or fall silent without a word."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import Line, running
from mdplatform_tests.chaos.market import VENUE, Market
from mdplatform_tests.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos
AWAY_S = 5.0


@pytest.fixture
def venue(market: Market) -> Iterator[Proxy]:
    """In front of the venue's sockets."""
    with Proxy(market.port) as proxy:
        yield proxy


@pytest.fixture
def quiet(tmp_path: Path, market: Market) -> Iterator[Line]:
    """A line whose collectors are yet to be started."""
    with running(tmp_path, market) as line:
        yield line


@pytest.fixture
def broker(quiet: Line) -> Iterator[Proxy]:
    """In front of the broker, for clients that are given its address."""
    with Proxy(quiet.broker.port, as_broker=True) as proxy:
        yield proxy


def test_a_venue_that_is_cut_off_leaves_marked_gaps(quiet: Line, venue: Proxy, enter: Enter) -> None:
    quiet.collect(ws_url=f"ws://{venue.address}/{VENUE}")
    quiet.until_newer()
    venue.cut()
    time.sleep(AWAY_S)
    venue.mend()
    recovered_s = quiet.until_newer()
    account = quiet.settled()
    enter(f"venue cut off for {AWAY_S:g} s", account, recovered_s)
    assert account.is_whole
    assert account.gaps


def test_a_venue_that_falls_silent_is_noticed_and_marked(quiet: Line, venue: Proxy, enter: Enter) -> None:
    quiet.collect(ws_url=f"ws://{venue.address}/{VENUE}")
    quiet.until_newer()
    venue.silence()
    recovered_s = quiet.until_newer()
    account = quiet.settled()
    enter("venue half-open", account, recovered_s)
    assert account.is_whole
    assert account.gaps


def test_a_collector_cut_off_from_its_broker_loses_nothing(quiet: Line, broker: Proxy, enter: Enter) -> None:
    quiet.collect(KAFKA_BROKERS=broker.address)
    quiet.until_newer()
    broker.cut()
    time.sleep(AWAY_S)
    broker.mend()
    recovered_s = quiet.until_newer()
    account = quiet.settled()
    enter(f"collector cut off from its broker for {AWAY_S:g} s", account, recovered_s)
    assert account.is_whole


def test_a_collector_whose_broker_falls_silent_loses_nothing(quiet: Line, broker: Proxy, enter: Enter) -> None:
    quiet.collect(KAFKA_BROKERS=broker.address)
    quiet.until_newer()
    broker.silence()
    recovered_s = quiet.until_newer(seconds=150.0)
    account = quiet.settled()
    enter("collector's connections to its broker half-open", account, recovered_s)
    assert account.is_whole
