"""A column has one name, in SQL, in archives and in frames; names of before are still understood by SQL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mdplatform import read
from mdplatform.archive.datasets import DATASETS
from mdplatform.core.settings import Settings
from mdplatform_tests.read.conftest import HOURS

BEFORE = {
    "received_at": "received_time",
    "next_funding_at": "next_funding_time",
    "started_at": "started_time",
    "ended_at": "ended_time",
    "hour": "timestamp",
}
MEASURES = ["mid", "spread", "spread_bps", "imbalance"]
RANGE = {"start": HOURS[0], "end": HOURS[-1] + timedelta(hours=1)}


@pytest.mark.parametrize("name", DATASETS)
def test_a_column_has_one_name_in_sql_archive_and_frames(name: str, market: Settings, archive: Path) -> None:
    table = DATASETS[name].table
    in_sql = {*read.sql(f"SELECT * FROM {table} LIMIT 1", market).columns}
    in_archive = {*pq.read_schema(next((archive / name).rglob("*.parquet"))).names}
    frames = [read.frame(name, source=source, settings=market, **RANGE) for source in ("clickhouse", archive)]
    computed = {*MEASURES} if name in ("top_of_book", "quotes") else set()
    assert {*frames[0].columns} == {*frames[1].columns} == in_archive | computed
    only_in_sql = {*BEFORE, "inserted_at", "started_ns", "ended_ns"}
    if name == "quotes":  # the archive says of no row whether a venue's archive brought it
        only_in_sql.add("provenance")
    assert in_sql - only_in_sql == in_archive | computed
    for before in in_sql & {*BEFORE}:
        differs = f"SELECT count() AS differ FROM {table} WHERE NOT ({before} <=> {BEFORE[before]})"
        assert read.sql(differs, market)["differ"].tolist() == [0]
    for frame in frames:
        assert len(frame) > 0
        for column in (each for each in frame.columns if each == "timestamp" or each.endswith("_time")):
            assert str(frame.dtypes[column]) in ("datetime64[ns, UTC]", "datetime64[ms, UTC]")


@pytest.mark.parametrize("name", ["top_of_book", "quotes"])
def test_frames_have_the_measures_of_the_views_bit_by_bit(name: str, market: Settings, archive: Path) -> None:
    order = "exchange, symbol, timestamp, sequence"
    in_sql = read.sql(f"SELECT {', '.join(MEASURES)} FROM {DATASETS[name].table} ORDER BY {order}", market)
    for source in ("clickhouse", archive):
        frame = read.frame(name, source=source, settings=market, partial=True, **RANGE)
        assert len(frame) == len(in_sql) > 0
        for column in MEASURES:
            assert frame[column].equals(in_sql[column])
