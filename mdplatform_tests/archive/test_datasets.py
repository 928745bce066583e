"""What the queries give is what the archive holds, and what they say of it is what the files say."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.checksum import checksum
from mdplatform.archive.compare import refuse_difference
from mdplatform.archive.datasets import DATASETS, schema_sha256
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.parquet import fitted
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export, fingerprint
from mdplatform.archive.verify import read, verify
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.queries import run
from mdplatform_tests.archive.reference import summed
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_trades

WHERE = {"exchange": EXCHANGE, "hour": HOUR}


def exported(client: Client, name: str) -> pa.Table:
    schema = DATASETS[name].schema
    return pa.Table.from_batches(fitted(schema, stream(client, export(name), **WHERE)), schema)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_an_hour_fits_its_dataset_and_agrees_with_its_fingerprint(warehouse: Client, name: str) -> None:
    fill(warehouse, 20, 0, name)
    rows = exported(warehouse, name)
    (found,) = run(warehouse, fingerprint(name), hour=HOUR)
    assert found["exchange"] == EXCHANGE
    assert rows.num_rows == found["rows"] > 5
    sums = [checksum(batch, DATASETS[name]) for batch in rows.to_batches()]
    assert found["checksum"] == sum(sums) % 2**64 == summed(DATASETS[name], rows)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_order_in_which_rows_were_stored_does_not_show_in_the_bytes(
    warehouse: Client, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    partition, origin = Partition(name, EXCHANGE, HOUR), Origin(query=DATASETS[name].query, code_version="test")
    bytes_of_build = []
    for seed in (1, 2):
        warehouse.command(f"TRUNCATE TABLE {DATASETS[name].stored_in}")
        fill(warehouse, 20, seed, name)
        root = tmp_path_factory.mktemp("archive")
        publish(root, partition, stream(warehouse, export(name), **WHERE), origin)
        bytes_of_build.append({path.name: path.read_bytes() for path in root.rglob("*.*") if path.is_file()})
    assert bytes_of_build[0] == bytes_of_build[1]
    assert len(bytes_of_build[0]) == 2


@pytest.mark.parametrize("name", ["books", "trades"])
def test_a_file_written_before_columns_were_added_reads_with_nulls_and_agrees_with_its_rows(
    warehouse: Client, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "books":
        put_books(warehouse, *({"at": after(n), "sequence": n} for n in range(1, 4)))
    else:
        put_trades(warehouse, *({"at": after(n), "id": str(n)} for n in range(1, 4)))
    added = {"books": ["bid_depth_10bps", "ask_depth_10bps"], "trades": ["first_id", "count"]}[name]
    today, partition = DATASETS[name], Partition(name, "binance", HOUR)
    first = pa.schema([field for field in today.schema if field.name not in added])
    rows = [batch.select(first.names) for batch in stream(warehouse, export(name), exchange="binance", hour=HOUR)]
    with monkeypatch.context() as before:
        before.setitem(DATASETS, name, replace(today, schema=first))
        publish(tmp_path, partition, rows, Origin(query=today.query, code_version="before"))
    assert verify(tmp_path, partition).rows == 3
    for column in added:
        assert read(tmp_path, partition)[column].to_pylist() == [None] * 3
    (expected,) = run(warehouse, fingerprint(name), hour=HOUR)
    refuse_difference(tmp_path, partition, expected)


def test_what_is_stated_of_an_interval_after_the_hour_does_not_change_the_hour(warehouse: Client) -> None:
    fill(warehouse, 20, 0, "statuses")
    before = exported(warehouse, "statuses")
    warehouse.command(
        "INSERT INTO md_feed_status_store SELECT * REPLACE (ended_at + INTERVAL 1 HOUR AS ended_at, "
        "assumeNotNull(ended_ns) + 3600000000000 AS ended_ns, 12345 AS last_sequence, 678 AS _offset, 9 AS missed) "
        "FROM md_feed_status_store AS stated WHERE stated.ended_at > {end:DateTime('UTC')} LIMIT 1 BY started_ns",
        parameters={"end": HOUR.replace(hour=HOUR.hour + 1)},
    )
    assert exported(warehouse, "statuses") == before


def test_the_schema_of_files_is_a_promise() -> None:
    """Change one of these only by adding columns at the end: readers of old files rely on them."""
    assert {name: schema_sha256(dataset.schema)[:12] for name, dataset in DATASETS.items()} == {
        "books": "b61039badf7d",
        "top_of_book": "9b0e0965dfe7",
        "increments": "b40babf98a3e",
        "quotes": "73bd14ce672a",
        "trades": "85e109e2223b",
        "liquidations": "4a5b182d6cba",
        "funding": "1fdeece3b662",
        "open_interest": "0c767e8f9c86",
        "index": "5573134629d0",
        "options": "295d232a8349",
        "spreads": "eaf044737388",
        "statuses": "cc3673940b7c",
    }
