"""What the sensor decides, from wanted shards, living runs and past ones."""

import pytest

from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.policy import Decision, LivingRun, PastRun, State, decide

NOW = 1_000_000.0
BTC = Shard("binance", ("BTC-USDT",))
ETH = Shard("binance", ("ETH-USDT",))


def run(state: State = "running", age: float = 500.0, beat: float | None = 1.0, run_id: str = "a") -> LivingRun:
    """A run of BTC that started ``age`` s ago and last showed a sign of life ``beat`` s ago."""
    return LivingRun(run_id, BTC.key, state, NOW - age, None if beat is None else NOW - beat)


def ended(ago: float, lived: float | None) -> PastRun:
    return PastRun(BTC.key, None if lived is None else NOW - ago - lived, NOW - ago)


def test_what_is_missing_is_started() -> None:
    assert decide([BTC, ETH], [run()], [], NOW) == Decision(start=[ETH])


def test_a_run_that_beats_is_left_alone() -> None:
    assert decide([BTC], [run()], [], NOW) == Decision()


@pytest.mark.parametrize("state", ["waiting", "starting", "running"])
def test_a_run_on_its_way_is_not_doubled(state: State) -> None:
    assert decide([BTC], [run(state, age=15, beat=None)], [], NOW) == Decision()


def test_a_run_in_the_queue_may_wait_for_ever() -> None:
    assert decide([BTC], [run("waiting", age=86_400, beat=None)], [], NOW) == Decision()


@pytest.mark.parametrize("state", ["running", "ending"])
def test_a_silent_run_is_given_up_and_replaced(state: State) -> None:
    decision = decide([BTC], [run(state, beat=21)], [], NOW)
    assert (list(decision.abandon), decision.end, decision.start) == (["a"], {}, [BTC])


@pytest.mark.parametrize("state", ["starting", "running"])
def test_a_run_that_never_came_up_is_given_up_and_replaced(state: State) -> None:
    decision = decide([BTC], [run(state, age=121, beat=None)], [], NOW)
    assert (list(decision.abandon), decision.start) == (["a"], [BTC])


def test_a_draining_run_is_waited_for() -> None:
    assert decide([BTC], [run("ending", beat=10)], [], NOW) == Decision()


def test_what_is_no_longer_wanted_is_ended_once() -> None:
    assert list(decide([], [run()], [], NOW).end) == ["a"]
    assert decide([], [run("ending")], [], NOW) == Decision()


def test_an_unwanted_silent_run_is_given_up_and_not_replaced() -> None:
    decision = decide([], [run("ending", beat=21)], [], NOW)
    assert (list(decision.abandon), decision.start) == (["a"], [])


def test_of_two_runs_the_one_that_beats_stays() -> None:
    runs = [run("starting", age=50, beat=None, run_id="new"), run(run_id="beating")]
    assert list(decide([BTC], runs, [], NOW).end) == ["new"]


def test_of_two_that_beat_the_older_stays() -> None:
    runs = [run(age=50, run_id="younger"), run(age=60, run_id="older")]
    assert list(decide([BTC], runs, [], NOW).end) == ["younger"]


def test_a_run_that_lived_long_is_replaced_at_once() -> None:
    assert decide([BTC], [], [ended(ago=0, lived=3600)], NOW).start == [BTC]


@pytest.mark.parametrize(("failures", "pause"), [(1, 5), (2, 10), (4, 40), (9, 300)])
def test_pauses_grow_with_each_failure_in_a_row(failures: int, pause: float) -> None:
    past = [ended(ago=100.0 * i, lived=1) for i in range(failures)]
    decision = decide([BTC], [], past, NOW)
    assert (decision.start, decision.waiting) == ([], {BTC.key: pause})


def test_after_its_pause_it_is_started() -> None:
    assert decide([BTC], [], [ended(ago=5.1, lived=None)], NOW).start == [BTC]


def test_a_long_life_ends_the_row_of_failures() -> None:
    past = [ended(ago=6, lived=1), ended(ago=100, lived=3600), ended(ago=4000, lived=1), ended(ago=5000, lived=1)]
    assert decide([BTC], [], past, NOW).start == [BTC]


def test_failures_of_one_shard_do_not_hold_back_another() -> None:
    assert decide([ETH], [], [ended(ago=0, lived=1)] * 5, NOW).start == [ETH]


def test_a_run_of_a_paused_venue_is_ended_and_the_reason_says_so() -> None:
    assert decide([], [run()], [], NOW, paused={BTC.key}) == Decision(end={"a": "an operator paused its venue"})
