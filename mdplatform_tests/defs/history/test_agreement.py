"""What was collected and what archives hold is compared; the check and the command name each difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from mdplatform.cli.compare import compare
from mdplatform.defs.history.assets import judge
from mdplatform.defs.history.datasets import AGREEMENT, FUNDING, INTEREST
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


def put_rows(client: Client, table: str, *rows: dict[str, Any]) -> None:
    """Rows of a perpetual of Binance; ``at``: minutes of the day."""
    for row in rows:
        at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(minutes=row.pop("at"))
        row |= {"exchange": "binance-usdm", "symbol": "BTC-USDT-PERP", "timestamp": at}
        if not table.endswith("_history_store"):
            row |= {"venue_time": at, "received_at": at, "_topic": "t", "_partition": 0, "_offset": 0}
        client.insert(table, [list(row.values())], column_names=list(row))


def test_open_interest_that_is_off_is_named(
    warehouse: Client, loading: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum of both sides beside one of one side; what was not collected around an archived row is not compared."""
    put_rows(warehouse, "md_open_interest_store", *({"at": n, "open_interest": 80_000.0 + n} for n in range(12)))
    archived = (
        {"at": at, "open_interest": size} for at, size in ((0, 80_000.0), (5, 160_010.0), (10, 80_011.0), (20, 1.0))
    )
    put_rows(warehouse, "md_open_interest_history_store", *archived)
    evaluation = judge(warehouse, INTEREST, DAY)
    assert (evaluation.passed, evaluation.metadata["bad_rows"].value) == (False, 1)
    code, text = asked(loading, monkeypatch)
    assert code == 1
    assert "binance-usdm BTC-USDT-PERP, open interest: 12 collected, 4 in the archive\n1 differences\n" in text
    assert "open interest  80003.0 to 80007.0  160010.0" in text


def test_payments_that_differ_are_named(warehouse: Client, loading: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    stated = ((2, 0.0001), (4, 0.0002), (8, 0.0004))  # hours of payment; that of 6 was not collected
    for hour, rate in stated:
        due = midnight + timedelta(hours=hour)
        put_rows(warehouse, "md_funding_store", {"at": 60 * hour - 0.5, "rate": rate, "next_funding_at": due})
    paid = (
        {"at": 60 * hour, "rate": rate, "interval_hours": 2} for hour, rate in ((2, 0.0001), (4, 0.0003), (6, 0.0005))
    )
    put_rows(warehouse, "md_funding_history_store", *paid)
    assert judge(warehouse, FUNDING, DAY).metadata["bad_rows"].value == 3
    code, text = asked(loading, monkeypatch, "--format", "json")
    assert code == 1
    assert [
        (row["difference"], row["collected_rate"], row["archived_rate"]) for row in map(json.loads, text.splitlines())
    ] == [
        ("rate", 0.0002, 0.0003),
        ("not collected", None, 0.0005),
        ("not in the archive", 0.0004, None),
    ]
    assert "BTC-USDT-PERP, funding: 3 collected, 3 in the archive" in asked(loading, monkeypatch)[1]
