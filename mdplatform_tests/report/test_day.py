"""A day on one page: the numbers are those of the warehouse, in the terminal and in a file that needs no other."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.defs.archive.assets import parquet_archive
from mdplatform.defs.hours.assets import spread_hourly
from mdplatform.defs.hours.checks import hour_checks
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform.report.day import Day, gather
from mdplatform.report.page import page
from mdplatform.report.sections import lines, sections
from mdplatform_tests.cli.calling import called
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status

__all__ = ["empty", "warehouse"]
MIDNIGHT = HOUR.replace(hour=0)
LATER = HOUR + timedelta(days=1)


@pytest.fixture
def day(warehouse: Client, empty: Settings, tmp_path: Path) -> Day:
    """An hour of one feed with a gap of six minutes, and a frame that nobody understood; the hour is built."""
    put_books(warehouse, *({"at": after(60 * n), "sequence": n + 1} for n in range(60)))
    put_status(warehouse, "valid", after(0), after(600))
    put_status(warehouse, "gap", after(600), after(960), cause="sequence", missed=7)
    put_status(warehouse, "valid", after(960), after(3600))
    warehouse.command(
        "INSERT INTO md_dead_letter_store (exchange, reason, error, frame, timestamp, received_at) "
        f"VALUES ('binance', 'not_json', '<b>broken</b>', '', '{HOUR:%Y-%m-%d %H:10:00}', '{HOUR:%Y-%m-%d %H:10:00}')"
    )
    platform = Platform(
        overrides={
            "CLICKHOUSE_URL": empty.clickhouse_url,
            "MDPLATFORM_DATABASE": empty.clickhouse_database,
            "MDPLATFORM_DATA_DIR": str(tmp_path),
        }
    )
    built = [spread_hourly, hour_checks, parquet_archive]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(built, partition_key=key_of(HOUR), instance=instance, resources={"platform": platform})
    return gather(platform.settings(), MIDNIGHT, LATER)


def test_the_day_is_shown_in_text_and_as_a_page_that_needs_no_other_file(day: Day) -> None:
    assert day.headline()["proven"] == "45.000 %"  # of two hours: nobody stated the second
    assert day.headline()["gaps"] == "1"
    assert day.headline()["messages known to be missing"] == "7"
    assert day.headline()["dead letters"] == "1"
    assert day.headline()["hours built"] == "1 of 24"
    costs = day.cost(HOUR)
    assert set(costs) == {"spread_hourly", "hour_checks", "parquet_archive"}
    assert costs["parquet_archive"]["bytes"] > 0

    text = "\n".join(lines(sections(day)))
    assert re.search(r"binance +45\.000 % +1 +7 ", text)
    assert re.search(r"22:10:00 +360\.0 s +binance +BTC-USDT +book +gap \(sequence\) +7", text)
    assert re.search(r"22:00 +\d+\.\d +", text)
    assert "<b>broken</b>" in text

    html = page(day)
    assert "&lt;b&gt;broken&lt;/b&gt;" in html
    assert "<b>broken" not in html
    assert not re.search(r"(src|href)=|https?:", html)
    assert "binance 22:00: 90.000 % proven" in html
    _refuse_open_tags(html)


def test_a_day_without_anything_says_so(warehouse: Client, empty: Settings, tmp_path: Path) -> None:
    environ = {"CLICKHOUSE_URL": empty.clickhouse_url, "MDPLATFORM_DATABASE": empty.clickhouse_database}
    file = tmp_path / "report.html"
    answer = called("report", "--day", "2024-08-08", "--html", str(file), environ=environ)
    assert answer.returncode == 0, answer.stderr
    said = answer.stdout.decode()
    assert "nothing was collected" in said
    assert "every frame was understood" in said
    assert "no hour of this day was built" in file.read_text()


def _refuse_open_tags(html: str) -> None:
    open_tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    parser = Tags()
    parser.feed(html)
    assert open_tags == []
