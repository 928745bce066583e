"""What was collected and what archives hold is compared; the check and the command name each difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from mdplatform.cli.compare import compare
from mdplatform.defs.history.assets import judge
from mdplatform.defs.history.datasets import AGREEMENT
from mdplatform.defs.resources import Platform
from mdplatform_tests.defs.history.test_assets import DAY, START_MS, file, load, trades, wanting
from mdplatform_tests.history.published import Archive, served
from mdplatform_tests.warehouse.rows import put_status, put_trades

LIVE = [
    (f"{100 + n}", START_MS + minute * 60_000 + second * 1000, 100.0 + n)
    for n, (minute, second) in enumerate((minute, second) for minute in (0, 1) for second in (1, 2, 3))
]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with served(tmp_path / "published") as archive:
        archive.publish(file("trades"), trades())
        yield archive


@pytest.fixture
def loading(platform: Platform, archive: Archive) -> Platform:
    overrides = {**platform.overrides, "MDPLATFORM_HISTORY_URLS": f"binance={archive.url}"}
    return wanting(Platform(overrides=overrides), "binance:BTC-USDT=BTCUSDT")


def collect(client: Client, rows: list[tuple[str, int, float]], **others: Any) -> None:
    for id, at, price in rows:
        side = "sell" if int(id) % 2 == 0 else "buy"
        said = {"at": at * 1_000_000 + 123_000, "id": id, "price": price, "qty": 0.5, "side": side}
        put_trades(client, said | others)


def asked(platform: Platform, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    for name, value in platform.overrides.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(compare, [str(DAY), *arguments])
    return result.exit_code, result.stdout


def test_equal_rows_agree(
    warehouse: Client, loading: Platform, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(warehouse, LIVE)
    result = load(loading, instance, "trades_history")
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed) == ("collected_agrees_with_archive", True)
    code, said = asked(loading, monkeypatch)
    assert (code, said.splitlines()) == (0, ["binance BTC-USDT: 6 collected, 6 in the archive", "no differences"])


def test_planted_differences_are_named_each(
    warehouse: Client, loading: Platform, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_status(warehouse, "valid", (START_MS + 60_000) * 10**6, (START_MS + 120_000) * 10**6, channel="trades")
    (first, lost, dear, thick, also_lost, last) = LIVE
    collect(warehouse, [first, last])
    collect(warehouse, [(dear[0], dear[1], dear[2] + 0.25)])
    collect(warehouse, [thick], qty=0.75)
    collect(warehouse, [("999", also_lost[1] + 7, 1.0)])  # the archive does not know it
    load(loading, instance, "trades_history")
    warehouse.command("OPTIMIZE TABLE md_trades_store FINAL")  # of one trade only the collected row is left
    evaluation = judge(warehouse, AGREEMENT, DAY)
    assert not evaluation.passed
    assert evaluation.metadata["bad_rows"].value == 5
    code, text = asked(loading, monkeypatch, "--format", "json")
    rows = [json.loads(line) for line in text.splitlines()]
    assert code == 1
    assert [(row["id"], row["difference"], row["proven"]) for row in rows] == [
        (lost[0], "not collected", 0),
        (dear[0], "price", 0),
        (thick[0], "size", 1),
        (also_lost[0], "not collected", 1),
        ("999", "not in the archive", 1),
    ]
    assert (rows[1]["collected_price"], rows[1]["archived_price"]) == (102.25, 102.0)
    code, text = asked(loading, monkeypatch)
    assert "binance BTC-USDT: 5 collected, 6 in the archive\n5 differences\n" in text


def test_what_was_traded_before_and_after_collecting_is_no_difference(
    warehouse: Client, loading: Platform, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(warehouse, LIVE[2:4])
    load(loading, instance, "trades_history")
    assert judge(warehouse, AGREEMENT, DAY).passed


def test_a_day_of_which_there_is_one_side_only_says_so(
    warehouse: Client, loading: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(warehouse, LIVE)
    assert judge(warehouse, AGREEMENT, DAY).passed
    assert asked(loading, monkeypatch) == (0, "nothing of this day was both collected and loaded from an archive\n")


def test_matches_that_were_collected_as_one_row_are_collected(
    warehouse: Client, loading: Platform, instance: dg.DagsterInstance
) -> None:
    collect(warehouse, [LIVE[0], LIVE[5]])
    collect(warehouse, [LIVE[3]], qty=1.5, first_id="101", count=3)  # 101 to 103
    load(loading, instance, "trades_history")
    evaluation = judge(warehouse, AGREEMENT, DAY)
    assert evaluation.metadata["bad_rows"].value == 1
    assert "104" in str(evaluation.metadata["first_rows"].value)
