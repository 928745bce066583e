"""The database as text: what ``sql/schema.sql`` shows, made from a migrated database."""

from __future__ import annotations

import re

from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries

HEADER = """\
-- Generated from a migrated database, for reading: it is not applied. To write it anew:
--   MDPLATFORM_WRITE_SCHEMA=1 pytest mdplatform_tests/warehouse/test_schema.py
"""

_PLACES = re.compile(r"(kafka_(?:broker_list|topic_list|group_name)) = '[^']*'")


def describe(client: Client) -> str:
    """All tables and views, without the database's name and without this installation's brokers, topics and group."""
    database = re.escape(str(client.database))
    parts = []
    for row in queries.run(client, "schema"):
        sql = re.sub(rf"`?\b{database}\b`?\.", "", row["sql"])
        parts.append(_PLACES.sub(r"\1 = '...'", sql) + ";\n")
    return "\n".join([HEADER, *parts])
