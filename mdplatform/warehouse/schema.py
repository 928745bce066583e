"""The database as text, made from a migrated database: ``make schema``."""

from __future__ import annotations

import re

from clickhouse_connect.driver.client import Client

from mdplatform.core.environment import environment
from mdplatform.core.settings import load
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect

_PLACES = re.compile(r"(kafka_(?:broker_list|topic_list|group_name)) = '[^']*'")


def describe(client: Client) -> str:
    """All tables and views, without the databases' names and without this installation's brokers, topics and group."""
    database = rf"{re.escape(str(client.database).removesuffix('_internal'))}(?:_internal)?"
    parts = []
    for row in queries.run(client, "schema"):
        sql = re.sub(rf"`?\b{database}\b`?\.", "", row["sql"])
        parts.append(_PLACES.sub(r"\1 = '...'", sql) + ";\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with connect(load(environment())) as migrated:
        print(describe(migrated))
