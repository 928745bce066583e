import asyncio

from mdplatform.feed.rate_limit import Budget


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_full_window_waits_for_its_oldest_units() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    budget.take(4)
    time.now += 20
    budget.take(6)
    assert budget.wait_s(4) == 40
    assert budget.wait_s(5) == 60


def test_units_come_back_after_the_window() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    budget.take(10)
    time.now += 60
    assert budget.wait_s(10) == 0
    assert budget.used == 0


def test_a_weight_above_the_allowance_waits_for_an_empty_window_only() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    assert budget.wait_s(50) == 0
    budget.take(50)
    assert budget.wait_s(1) == 60


def test_a_block_holds_back_what_would_fit() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    budget.block(7)
    assert budget.wait_s(1) == 7
    time.now += 7
    assert budget.wait_s(1) == 0


def test_what_is_held_counts_until_a_window_after_it_was_settled() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    budget.hold(10)
    time.now += 70
    assert budget.wait_s(1) == 60
    budget.settle(10)
    time.now += 59
    assert budget.wait_s(1) == 1
    time.now += 1
    assert budget.wait_s(10) == 0


def test_what_others_spent_counts() -> None:
    time = Time()
    budget = Budget(10, 60, time)
    budget.take(2)
    budget.observe(9)
    budget.observe(3)
    assert budget.used == 9


async def test_spending_waits_until_it_fits() -> None:
    budget = Budget(1, 0.02)
    loop = asyncio.get_running_loop()
    await budget.spend()
    began = loop.time()
    await budget.spend()
    assert loop.time() - began > 0.01
