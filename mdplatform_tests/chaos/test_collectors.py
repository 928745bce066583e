"""What befalls collectors: floods, wrong clocks, a twin, and their own sudden end."""

import os
import signal
import time

import pytest

from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import Line

pytestmark = pytest.mark.chaos
FLOOD_S = 8
HOUR_S = 3600.0


def test_a_flood_of_a_venue_holds_it_back_and_loses_nothing(line: Line, enter: Enter) -> None:
    for symbol in ("BTC", "ETH", "SOL"):
        line.market.order(f"volume {symbol} x10 for {FLOOD_S}s")
    time.sleep(FLOOD_S)
    recovered_s = line.until_newer()
    account = line.settled()
    enter(f"venue floods at 10x for {FLOOD_S} s", account, recovered_s)
    assert account.is_whole


def test_a_clock_that_is_stepped_both_ways_breaks_no_book(line: Line, enter: Enter) -> None:
    for step_s in (HOUR_S, 0.0, -HOUR_S):
        line.step_clock(step_s)
        time.sleep(3.0)
    line.step_clock(0.0)
    time.sleep(3.0)
    account = line.settled()
    enter("clock stepped by an hour, both ways", account, 0.0)
    assert account.is_whole


def test_two_writers_of_one_shard_give_every_row_once(line: Line, enter: Enter) -> None:
    """As two machines would have it whose locks do not know of each other."""
    line.collect(home="elsewhere")
    recovered_s = line.until_newer()
    line.until_newer(time.time_ns() + 5 * 10**9)
    account = line.settled()
    enter("two writers of one shard", account, recovered_s)
    assert account.is_whole


def test_a_collector_that_is_killed_leaves_a_row_for_the_time_until_the_next(line: Line, enter: Enter) -> None:
    line.collectors[0].kill()
    line.collect()
    recovered_s = line.until_newer()
    account = line.settled()
    enter("collector killed and started again", account, recovered_s)
    assert account.is_whole
    assert account.gaps


def test_a_collector_that_stands_still_goes_on_and_says_so(line: Line, enter: Enter) -> None:
    os.kill(line.collectors[0].pid, signal.SIGSTOP)
    time.sleep(5.0)
    os.kill(line.collectors[0].pid, signal.SIGCONT)
    recovered_s = line.until_newer()
    account = line.settled()
    enter("collector stands still for 5 s", account, recovered_s)
    assert account.is_whole
