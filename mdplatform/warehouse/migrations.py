"""Builds the database: each migration is applied once, each stream is recreated when its text changes."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from mdplatform.core.errors import WarehouseError
from mdplatform.core.settings import Settings
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect, error_code, warehouse_errors
from mdplatform.warehouse.files import sql_files, sql_text, statements
from mdplatform.warehouse.lock import migration_lock
from mdplatform.warehouse.render import placeholders, render

log = logging.getLogger(__name__)

UNKNOWN_TABLE = 60
_CREATED = re.compile(r"^CREATE (?:TABLE|MATERIALIZED VIEW) (?:\{\{\w+\}\}\.)?(\w+)", re.MULTILINE)
# An aggregating table whose other columns are the same for all rows of a key. Since 26.7 ClickHouse requires this
# setting for it (ClickHouse #108087); older servers do not know the setting.
SAID_OF_AGGREGATES = "allow_dimensions_outside_sorting_key = 1"
# Error codes of a server that does not manage users: not allowed, not supported, or no storage for them.
NO_ACCESS_MANAGEMENT = (497, 48, 514)


@dataclass
class Report:
    """What a migration did; names are ``folder/file.sql``."""

    applied: list[str] = field(default_factory=list)  # migrations that were new
    recreated: list[str] = field(default_factory=list)  # streams that were new or had changed
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)


def migrate(settings: Settings, streams: bool = True) -> Report:
    """Bring the database to the shipped state; doing it again changes nothing.

    1. create both databases, 2. take the lock, 3. move what an earlier version kept in the readers' one, 4. refuse
    changed migrations, 5. apply the new ones, 6. recreate the streams whose rendered text changed, 7. on a cluster have
    views see all shards, 8. publish the views to the readers' database, 9. apply access. The topics should exist
    (``render.all_topics_read``): a stream finds a topic created later only after minutes. ``streams`` False leaves out
    step 6: a database that is not filled from a broker. Raises WarehouseError or ConfigError.
    """
    values = placeholders(settings)
    with (
        connect(settings, database="default") as server,
        warehouse_errors(settings.clickhouse_url, "create the databases"),
    ):
        for database in ("readers", "internal"):  # 1.
            server.command(render(f"CREATE DATABASE IF NOT EXISTS {{{{{database}}}}} {{{{cluster}}}}", values))
    with connect(settings) as client, migration_lock(client) as beat:  # 2.
        return apply(client, values, beat, streams)


def apply(client: Client, values: Mapping[str, str], beat: Callable[[], None], streams: bool) -> Report:
    """Steps 3 to 9 on existing databases; ``beat`` is called after every file."""
    report = Report()
    _made_of(client, "moves", values)  # 3.
    _made_of(client, "moved_views", values)
    known = _known(client)
    files = sql_files("migrations")
    _refuse_changes(files, known)  # 4.
    for path in files:  # 5.
        _apply_file(client, path, values, known, report.applied, rendered_counts=False)
        beat()
    there = {row["name"] for row in queries.run(client, "tables")}
    for path in sql_files("streams") if streams else ():  # 6.
        # An interrupted run leaves tables dropped that the ledger still has from the time before.
        if not there.issuperset(_CREATED.findall(sql_text(path))):
            known.pop(_name(path), None)
        _apply_file(client, path, values, known, report.recreated, rendered_counts=True)
        beat()
    if values["cluster"]:
        _made_of(client, "everywhere", values)  # 7.
    _made_of(client, "published_views", values)  # 8.
    for path in sql_files("access"):  # 9.
        _apply_access(client, path, values, report)
    if streams:
        report.notes += _limits(client)
    report.unchanged = len(known)
    return report


def _limits(client: Client) -> list[str]:
    """What this server's settings would stop: said here, because the streams themselves cannot change them."""
    limit = int(queries.run(client, "partitions_per_block")[0]["partitions"])
    if not limit:
        return []
    return [
        f"max_partitions_per_insert_block is {limit}: a backlog over more days would be read again forever; "
        "set it to 0 in the server's default profile, as deploy/clickhouse/profile.xml does"
    ]


def _known(client: Client) -> dict[str, str]:
    """Hash by file name as the ledger has it; empty before the first migration."""
    try:
        return {row["name"]: row["sha256"] for row in queries.run(client, "applied_migrations")}
    except WarehouseError as error:
        if error_code(error) == UNKNOWN_TABLE:
            return {}
        raise


def _refuse_changes(files: list[Path], known: Mapping[str, str]) -> None:
    for path in files:
        applied = known.get(_name(path))
        if applied is not None and applied != _sha256(path.read_bytes()):
            raise WarehouseError(
                f"{_name(path)} was applied with other content: shipped migrations never change; "
                "put the change into a new file"
            )


def _apply_file(
    client: Client,
    path: Path,
    values: Mapping[str, str],
    known: dict[str, str],
    done: list[str],
    rendered_counts: bool,
) -> None:
    """Run the file's statements unless the ledger has its hash: of the bytes, or of the rendered text."""
    text = render(sql_text(path), values)
    sha256 = _sha256(text.encode() if rendered_counts else path.read_bytes())
    if known.pop(_name(path), None) == sha256:
        known[_name(path)] = sha256
        return
    with warehouse_errors(client.uri, f"apply {_name(path)}"):
        for statement in statements(text):
            _command(client, statement)
    queries.command(client, "record_migration", name=_name(path), sha256=sha256)
    log.debug("applied %s", _name(path))
    done.append(_name(path))


def _command(client: Client, statement: str) -> None:
    try:
        client.command(statement)
    except DatabaseError as error:
        wanted = as_wanted(statement, str(error))
        if wanted is None:
            raise
        client.command(wanted)


def as_wanted(statement: str, error: str) -> str | None:
    """The statement with the setting that a newer server refused it for want of; None where that was not the error."""
    return f"{statement}\nSETTINGS {SAID_OF_AGGREGATES}" if SAID_OF_AGGREGATES in error else None


def _made_of(client: Client, name: str, values: Mapping[str, str]) -> None:
    """Run the statements that a query of ``sql/queries/database`` makes of what is there."""
    for row in queries.run(client, name, on_cluster=values["cluster"]):
        with warehouse_errors(client.uri, f"make {row['name']} by {name}"):
            client.command(row["statement"])


def _apply_access(client: Client, path: Path, values: Mapping[str, str], report: Report) -> None:
    try:
        with warehouse_errors(client.uri, f"apply {_name(path)}"):
            for statement in statements(render(sql_text(path), values)):
                client.command(statement)
    except WarehouseError as error:
        if error_code(error) not in NO_ACCESS_MANAGEMENT:
            raise
        report.notes.append(f"{_name(path)} skipped: this server manages no users or roles")


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
