"""The statements of ``sql/queries``: one a file, named for what it serves, with ``{name:Type}`` parameters.

They lie in a folder for each purpose; a name is found in any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse.client import warehouse_errors
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
    """The query of ``sql/queries/*/<name>.sql``; raises WarehouseError naming those that exist."""
    files = {path.stem: path for path in sql_files("queries")}
    if name not in files:
        raise WarehouseError(f"no query {name!r} in sql/queries; there are {', '.join(files)}")
    return query(name, sql_text(files[name]))


def query(name: str, sql: str) -> Query:
    """A statement with the parameters that its text names."""
    return Query(name, sql, dict(_PARAMETER.findall(sql)))


def run(client: Client, asked: str | Query, /, **params: Any) -> list[dict[str, Any]]:
    """The rows of a query, given or named, as dictionaries; times are datetimes in UTC. Raises WarehouseError."""
    statement = checked(asked, params)
    with warehouse_errors(client.uri, f"run {statement.name}"):
        return list(client.query(statement.sql, parameters=params, tz_mode="aware").named_results())


def run_arrow(client: Client, asked: str | Query, /, **params: Any) -> pa.Table:
    """The same as an Arrow table: for rows by the hundred thousand. Raises WarehouseError."""
    statement = checked(asked, params)
    with warehouse_errors(client.uri, f"run {statement.name}"):
        return client.query_arrow(statement.sql, parameters=params)


def command(client: Client, asked: str | Query, /, **params: Any) -> None:
    """Run a statement that gives no rows. Raises WarehouseError."""
    statement = checked(asked, params)
    with warehouse_errors(client.uri, f"run {statement.name}"):
        client.command(statement.sql, parameters=params)


def checked(asked: str | Query, params: Mapping[str, Any]) -> Query:
    """The query, if these are exactly its parameters; raises WarehouseError otherwise."""
    statement = load(asked) if isinstance(asked, str) else asked
    if set(params) != set(statement.parameters):
        wants = ", ".join(f"{key}: {kind}" for key, kind in statement.parameters.items()) or "no parameters"
        raise WarehouseError(f"query {statement.name} takes {wants}, not {', '.join(params) or 'none'}")
    return statement
