"""Each column of a stream table names the field of its message, and the field is one that the stream reads."""

from __future__ import annotations

import re

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.event_kinds import STORED, EventKind
from mdplatform.defs.external.assets import table_key, table_lineage, topic_key
from mdplatform.warehouse import queries
from mdplatform.warehouse.files import SQL, sql_text

STATED_BY_NO_MESSAGE = {"inserted_at", "provenance"}  # the latter of increments, which archives bring too


def read_by_the_stream(kind: EventKind) -> set[str]:
    """The fields that the stream's SQL takes out of a message."""
    found = re.search(r"JSONExtract\(message, 'Tuple\((.*?)\)'\)", sql_text(SQL / kind.stream_file))
    assert found is not None
    return {part.split()[0] for part in re.split(r", (?=\w+ [A-Z])", found[1])} | {"_topic", "_partition", "_offset"}


@pytest.mark.parametrize("kind", [kind for kind in STORED if kind.type is not None], ids=lambda kind: kind.name)
def test_columns_come_from_fields_that_are_read(kind: EventKind, warehouse: Client) -> None:
    for table in kind.tables:
        columns = [row["name"] for row in queries.run(warehouse, "table_columns", table=table.name)]
        lineage = table_lineage(table.name, columns).deps_by_column
        assert set(columns) - set(lineage) <= STATED_BY_NO_MESSAGE
        sources = {(dep.asset_key, dep.column_name) for deps in lineage.values() for dep in deps}
        if table is kind.tables[0]:
            assert {asset for asset, _ in sources} == {topic_key(kind.name)}
            assert {name for _, name in sources} <= read_by_the_stream(kind)
        else:
            first = [row["name"] for row in queries.run(warehouse, "table_columns", table=kind.tables[0].name)]
            assert {asset for asset, _ in sources} == {table_key(kind.tables[0].name)}
            assert {name for _, name in sources} <= set(first)
