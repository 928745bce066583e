"""The statements of ``sql/queries``: one a file, named for what it serves, with ``{name:Type}`` parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse.client import told
from mdplatform.warehouse.files import sql_files, sql_text

_PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")


@dataclass(frozen=True)
class Query:
    """One statement; ``parameters`` maps the name of each parameter to its ClickHouse type."""

    name: str
    sql: str
    parameters: Mapping[str, str]


@cache
def load(name: str) -> Query:
    """The query of ``sql/queries/<name>.sql``; raises WarehouseError naming those that exist."""
    files = {path.stem: path for path in sql_files("queries")}
    if name not in files:
        raise WarehouseError(f"no query {name!r} in sql/queries; there are {', '.join(files)}")
    text = sql_text(files[name])
    return Query(name, text, dict(_PARAMETER.findall(text)))


def run(client: Client, name: str, /, **params: Any) -> list[dict[str, Any]]:
    """The rows of the query as dictionaries; times are datetimes in UTC. Raises WarehouseError."""
    query = checked(name, params)
    with told(client.uri, f"run {name}"):
        return list(client.query(query.sql, parameters=params, tz_mode="aware").named_results())


def run_arrow(client: Client, name: str, /, **params: Any) -> pa.Table:
    """The same as an Arrow table: for rows by the hundred thousand. Raises WarehouseError."""
    query = checked(name, params)
    with told(client.uri, f"run {name}"):
        return client.query_arrow(query.sql, parameters=params)


def command(client: Client, name: str, /, **params: Any) -> None:
    """Run a statement that gives no rows. Raises WarehouseError."""
    query = checked(name, params)
    with told(client.uri, f"run {name}"):
        client.command(query.sql, parameters=params)


def checked(name: str, params: Mapping[str, Any]) -> Query:
    """The query, if these are exactly its parameters; raises WarehouseError otherwise."""
    query = load(name)
    if set(params) != set(query.parameters):
        wants = ", ".join(f"{key}: {kind}" for key, kind in query.parameters.items()) or "no parameters"
        raise WarehouseError(f"query {name} takes {wants}, not {', '.join(params) or 'none'}")
    return query
