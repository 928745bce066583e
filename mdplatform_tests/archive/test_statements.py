"""The statements made of a dataset's columns give what those written by hand for each dataset gave, to the bit."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.parquet import fitted
from mdplatform.archive.statements import export, fingerprint
from mdplatform.core.event_kinds import TABLES
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.queries import run
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.read.recorded import START, events, store
from mdplatform_tests.warehouse.rows import HOUR

# Rows, the first digits of the SHA-256 of what is exported, and the answer of the fingerprint: as the sixteen files of
# SQL gave them that these statements replace.
MADE = {
    "books": (20, "512b9f4d95418285", 1000, 1019, 11092411925344454046),
    "top_of_book": (20, "694529a9a8870acd", 1000, 1019, 6404974189507218435),
    "quotes": (20, "3a84af215959de29", 1000, 1019, 8207579919352644596),
    "trades": (20, "72df231a19149271", None, None, 2283008998257965328),
    "liquidations": (20, "114301e0da86ff3e", None, None, 8421194878396134036),
    "funding": (20, "b405d0aa1a72fb41", None, None, 12653880864741547011),  # since it has what is predicted
    "spreads": (20, "c5ea3bf0fbabd749", None, None, 10021321435639461491),
    "statuses": (20, "0bdf3a1933ea38b4", None, None, 5191083860554471555),
}
RECORDED = {
    "books": (3188, "a03c65c596494dad", 1007198635121, 1007199046526, 10303849856910985840),
    "top_of_book": (3188, "6a01341b518a1f40", 1007198635121, 1007199046526, 1066439343941790191),
    "trades": (152, "181cbe5e5b444ecb", None, None, 6002914458828034406),
    "quotes": (2262, "bc24e03b1d8fff2f", 1007198632021, 1007199046055, 17329535263543808660),
    "statuses": (4, "82c3c2a02a7d4b0e", None, None, 6663999773109818599),
}


def found(client: Client, name: str, exchange: str, hour: datetime) -> tuple[int | str | None, ...]:
    schema = DATASETS[name].schema
    rows = stream(client, export(name), exchange=exchange, hour=hour)
    table = pa.Table.from_batches(fitted(schema, rows), schema).combine_chunks()
    (said,) = [row for row in run(client, fingerprint(name), hour=hour) if row["exchange"] == exchange]
    assert said["rows"] == table.num_rows
    digest = sha256(repr(table.to_pylist()).encode()).hexdigest()[:16]
    return table.num_rows, digest, said["min_sequence"], said["max_sequence"], said["checksum"]


@pytest.mark.parametrize("name", MADE)
def test_statements_give_what_they_gave_when_each_was_written_by_hand(warehouse: Client, name: str) -> None:
    fill(warehouse, 20, 0, name)
    assert found(warehouse, name, EXCHANGE, HOUR) == MADE[name]


def test_they_give_the_same_of_a_recording(warehouse: Client, shared_data: Path) -> None:
    store(warehouse, events(shared_data, "binance-coinm"))
    assert {name: found(warehouse, name, "binance-coinm", START) for name in RECORDED} == RECORDED


def test_every_archived_dataset_is_among_those_that_an_hour_has(warehouse: Client) -> None:
    fill(warehouse)
    assert {row["dataset"] for row in run(warehouse, "hour_exchanges", hour=HOUR)} == set(DATASETS)


def test_every_table_that_is_archived_has_its_dataset() -> None:
    assert {table.dataset for table in TABLES.values() if table.dataset} == set(DATASETS) - {"spreads"}
