"""The broker goes away, and comes back."""

import shutil
import time

import pytest

from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import Line

pytestmark = pytest.mark.chaos


def test_a_broker_that_is_ended_and_started_again_loses_nothing(line: Line, enter: Enter) -> None:
    line.broker.stop()
    line.restart_broker()
    recovered_s = line.until_newer()
    account = line.settled()
    enter("broker ended and started again", account, recovered_s)
    assert account.is_whole


def test_what_a_killed_broker_forgets_is_in_the_tables_or_marked(line: Line, enter: Enter) -> None:
    """The embedded broker saves every few seconds: what it acknowledged and lost must not be lost in silence."""
    line.until_newer(time.time_ns() + 8 * 10**9)  # so that it has saved something, and not all
    line.broker.kill()
    line.restart_broker()
    recovered_s = line.until_newer()
    line.until_newer(time.time_ns() + 5 * 10**9)
    account = line.settled(20.0)
    enter("broker killed and started again", account, recovered_s)
    assert (account.unread, account.doubled, account.silent) == (0, 0, 0)


def test_a_broker_that_forgot_everything_is_used_again(line: Line, enter: Enter) -> None:
    """Its disk is wiped: topics, offsets and groups are gone, and it makes topics of one partition as they are used."""
    line.broker.kill()
    shutil.rmtree(line.directory / "kafka")
    line.restart_broker()
    recovered_s = line.until_newer()
    account = line.settled(20.0)
    enter("broker killed and its disk wiped", account, recovered_s)
    assert (account.unread, account.doubled, account.silent) == (0, 0, 0)
