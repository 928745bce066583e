"""What happens on a connection before and after a statement: database, external tables, user, settings, roles."""

import json
from dataclasses import dataclass, field

from mdplatform.embedded.clickhouse.access import LOADER, READER, Users
from mdplatform.embedded.clickhouse.engine import Connection
from mdplatform.embedded.clickhouse.external import READING
from mdplatform.embedded.clickhouse.request import Query
from mdplatform.embedded.clickhouse.sessions import Session


@dataclass(frozen=True, slots=True)
class Kept:
    """What a connection takes over from the one whose place it takes: statements for its database and its settings."""

    database: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)


def prepare(connection: Connection, query: Query, users: Users, session: Session | None, before: Kept) -> None:
    """Bring a connection into the state the request asks for. Raises ClickHouseError (81, 115, 452, 511 ...)."""
    _run(connection, before.database)
    if query.parameters.database:
        connection.run(f"USE {quoted(query.parameters.database, '`')}")
    try:
        if query.external:
            _add_external(connection, query)
    finally:
        # Also when that failed: no session goes on as the one who creates.
        if session is None or not session.has_user:
            _begin(connection, query, users)
        if session is not None:
            session.has_user = True
        _run(connection, before.settings)
    settings = dict(query.parameters.settings)
    if query.by_get and session is None and query.user != READER:
        settings.setdefault("readonly", "2")  # request.py has refused any value that would let it change something
    _set(connection, settings)
    if query.parameters.roles:
        connection.run("SET ROLE " + ", ".join(quoted(role, "`") for role in query.parameters.roles))


def _add_external(connection: Connection, query: Query) -> None:
    """Before the connection becomes a reader's, who creates nothing: until then it is one's who creates these only."""
    if query.user == READER:
        connection.run(f"EXECUTE AS {quoted(LOADER, '`')}")
    _set(connection, {name: value for name, value in query.parameters.settings.items() if READING.fullmatch(name)})
    for table in query.external:
        name = quoted(table.name, "`")
        connection.run(f"CREATE TEMPORARY TABLE {name} ({table.columns}) ENGINE = Memory")
        connection.run(f"INSERT INTO {name} FROM INFILE {quoted(table.data.path)} FORMAT {table.format}")


def _begin(connection: Connection, query: Query, users: Users) -> None:
    """Become the reader, which cannot be undone on this connection. Its profile's values are not applied by that."""
    if query.user == READER:
        connection.run(f"EXECUTE AS {quoted(READER, '`')}")
        _set(connection, {**users.reader_limits, "readonly": "2"})


def _set(connection: Connection, settings: dict[str, str]) -> None:
    # `readonly` last: after it the others could no longer be set.
    ordered = sorted(settings.items(), key=lambda item: item[0] == "readonly")
    if ordered:
        connection.run("SET " + ", ".join(f"{quoted(name, '`')} = {quoted(value)}" for name, value in ordered))


def state(connection: Connection, query: Query) -> list[str]:
    """The statements that undo `prepare` on a session's connection; to be asked before it."""
    undo = [f"DROP TEMPORARY TABLE IF EXISTS {quoted(table.name, '`')}" for table in query.external]
    if query.parameters.database and query.statement.verb != b"USE":
        undo.append(f"USE {quoted(connection.text('SELECT currentDatabase() FORMAT TSVRaw'), '`')}")
    if query.parameters.settings:
        undo += _settings_before(connection, list(query.parameters.settings))
    return undo


def begins_again(query: Query, session: Session) -> bool:
    """Whether the session needs another connection: a reader's external tables are made before it is a reader's."""
    return bool(query.external) and query.user == READER and session.has_user


def kept(connection: Connection) -> Kept:
    database = connection.text("SELECT currentDatabase() FORMAT TSVRaw")
    changed = _settings(connection, "changed AND name != 'readonly'")
    return Kept([f"USE {quoted(database, '`')}"], [_set_to(name, value) for name, _, value in changed])


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.run(statement)


def _settings_before(connection: Connection, names: list[str]) -> list[str]:
    listed = ", ".join(quoted(name) for name in names)
    before = _settings(connection, f"name IN ({listed})")
    return [_set_to(name, value) if changed == "1" else f"SET {name} = DEFAULT" for name, changed, value in before]


def _settings(connection: Connection, condition: str) -> list[list[str]]:
    """Name, 0 or 1 for whether it was changed, and value; in one row, which the user's own limits let through."""
    wanted = "groupArray([name, toString(changed), value]) AS found"
    sql = f"SELECT {wanted} FROM system.settings WHERE {condition} FORMAT JSONEachRow"  # noqa: S608
    found: list[list[str]] = json.loads(connection.text(sql))["found"]
    return found


def _set_to(name: str, value: str) -> str:
    return f"SET {name} = {quoted(value)}"


def quoted(text: str, mark: str = "'") -> str:
    """A string literal, or with ` an identifier, that means exactly `text`."""
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark
