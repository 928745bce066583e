"""What hours cost is kept by the hundred, at the end, and of a run that ends early."""

from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.defs.hours.costs import AT_ONCE, noted_costs
from mdplatform_tests.warehouse.rows import HOUR


def noted(client: Client, part: str) -> int:
    return int(client.query("SELECT count() FROM _costs WHERE part = {part:String}", {"part": part}).first_row[0])


def test_costs_are_kept_by_the_hundred_and_at_the_end(warehouse: Client) -> None:
    with noted_costs(warehouse, "whole") as costs:
        for n in range(AT_ONCE + 1):
            costs.add(HOUR + timedelta(hours=n), 0.5, rows=n, bytes=2 * n)
        assert noted(warehouse, "whole") == AT_ONCE
    found = warehouse.query("SELECT toUnixTimestamp(max(hour)), sum(seconds), sum(rows), sum(bytes) FROM _costs FINAL")
    assert found.first_row == ((HOUR + timedelta(hours=AT_ONCE)).timestamp(), (AT_ONCE + 1) / 2, 5050, 10100)


def test_costs_of_a_run_that_ends_early_are_kept(warehouse: Client) -> None:
    def run() -> None:
        with noted_costs(warehouse, "ended") as costs:
            costs.add(HOUR, 1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert noted(warehouse, "ended") == 1
