"""A database that tests are given is the one that a migration makes."""

import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform_tests.warehouse.copied import Copies, drop, stated
from mdplatform_tests.warehouse.rows import after, put_trades

Both = tuple[Settings, Settings]
OWN = "database, data_compressed_bytes, data_uncompressed_bytes, marks_bytes"
ASKED = {
    "tables": "SELECT name, engine_full, as_select, comment, sorting_key, partition_key, total_rows FROM system.tables",
    "columns": f"SELECT * EXCEPT ({OWN}) FROM system.columns",
    "indices": f"SELECT * EXCEPT ({OWN}) FROM system.data_skipping_indices",
    "grants": "SELECT * EXCEPT database FROM system.grants",
}
LEDGER = "SELECT name, sha256 FROM _migrations ORDER BY name"


@pytest.fixture(scope="module")
def both(clickhouse_url: str, copies: Copies) -> Iterator[Both]:
    """A migrated database, and a copy that is not the first one."""
    name = f"t{uuid.uuid4().hex[:8]}"
    migrated, first, copied = (Settings(clickhouse_url=clickhouse_url, clickhouse_database=name + end) for end in "mfc")
    migrate(migrated, streams=False)
    copies.make(first)
    copies.make(copied)
    yield migrated, copied
    for settings in (migrated, first, copied):
        drop(settings)


@pytest.fixture(scope="module")
def client(both: Both) -> Iterator[Client]:
    with connect(both[0], database="default") as client:
        yield client


def test_a_copy_states_everything_as_migrated(client: Client, both: Both) -> None:
    migrated, copied = both
    own, others = migrated.clickhouse_database, copied.clickhouse_database
    here = {tuple(part.replace(others, own) for part in (*key, sql)) for key, sql in stated(client, copied).items()}
    assert here == {(*key, sql) for key, sql in stated(client, migrated).items()}


@pytest.mark.parametrize("of", ASKED)
def test_a_copy_is_as_migrated(client: Client, both: Both, of: str) -> None:
    query = f"{ASKED[of]} WHERE database IN ({{readers:String}}, {{internal:String}}) ORDER BY ALL"
    found = []
    for settings in both:
        names = {"readers": settings.clickhouse_database, "internal": settings.internal_database}
        rows = client.query(query, parameters=names).result_rows
        found.append([str(row).replace(settings.clickhouse_database, "") for row in rows])
    assert found[0] == found[1]


def test_a_copy_needs_no_migration(both: Both) -> None:
    migrated, copied = both
    with connect(migrated) as client, connect(copied) as other:
        assert other.query(LEDGER).result_rows == client.query(LEDGER).result_rows
    assert migrate(copied, streams=False).applied == []


def test_a_copy_that_is_taken_back_is_lent_again_empty(clickhouse_url: str, copies: Copies) -> None:
    lent = copies.lend(Settings(clickhouse_url=clickhouse_url))
    with connect(lent) as client:
        ledger = client.query(LEDGER).result_rows
        put_trades(client, {"at": after(1), "id": "1"})
        copies.take_back(lent)
        assert copies.lend(lent) == lent
        assert client.query("SELECT count() FROM md_trades_store").first_row == (0,)
        assert client.query(LEDGER).result_rows == ledger
    copies.take_back(lent)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE md_trades_store ADD COLUMN fee Float64",
        "CREATE TABLE another (x UInt8) ENGINE = Memory",
        "DROP VIEW md_trades",
        "INSERT INTO _migrations (name) SELECT 'another'",
    ],
)
def test_a_copy_that_was_altered_is_not_lent_again(clickhouse_url: str, copies: Copies, change: str) -> None:
    lent = copies.lend(Settings(clickhouse_url=clickhouse_url))
    with connect(lent) as client:
        client.command(change)
    copies.take_back(lent)
    with pytest.raises(WarehouseError, match="no such database"):
        connect(lent)
