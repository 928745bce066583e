"""The database as text names every table and nothing of this installation."""

from __future__ import annotations

from mdplatform.core.event_kinds import TABLES
from mdplatform.core.settings import Settings
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.schema import describe
from mdplatform_tests.warehouse.conftest import Attach


def test_the_schema_holds_every_table_and_no_address(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    text = describe(client)
    assert all(f"CREATE VIEW {name}" in text for name in TABLES)
    assert streaming.kafka_brokers not in text
    assert streaming.clickhouse_database not in text
