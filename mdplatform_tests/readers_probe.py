"""Runs statements as the user of deploy/clickhouse/readers.xml: ``python -m ... DIRECTORY`` < JSON list > JSON list.

In a process of its own, because the engine lives in the process that opens it. It knows one user, `default`: who that
is, is another one when it is opened again. Answers are error codes, 0 for none.
"""

import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

from mdplatform.embedded.clickhouse.access import Users
from mdplatform.embedded.clickhouse.config import write_config
from mdplatform.embedded.clickhouse.engine import Connection, Engine
from mdplatform.embedded.clickhouse.errors import ClickHouseError
from mdplatform.warehouse.migrations import as_wanted

READERS = Path(__file__).parents[1] / "deploy" / "clickhouse" / "readers.xml"
ADMINISTRATOR = ("CREATE DATABASE marketdata", "CREATE TABLE marketdata.md_trades (price Float64) ENGINE = Memory")


def take_over(path: Path) -> None:
    """Make the shipped user, with the shipped profile, the one whom the engine knows."""
    ours, shipped = ElementTree.parse(path), ElementTree.parse(READERS)
    for part, name in (("profiles", "reader"), ("users", "default")):
        there, new = ours.getroot().find(part), shipped.find(f"{part}/reader")
        assert there is not None
        assert new is not None
        for old in there.findall(name):
            there.remove(old)
        new.tag = name
        for password in new.findall("password"):
            password.attrib.clear()
        there.append(new)
    ours.write(path)


def code(connection: Connection, sql: str) -> int:
    try:
        connection.run(sql)
    except ClickHouseError as error:
        wanted = as_wanted(sql, str(error))
        return code(connection, wanted) if wanted and wanted != sql else error.code
    return 0


def main() -> None:
    directory = Path(sys.argv[1])
    config = write_config(directory, Users(), {}, {})
    engine = Engine(directory, config)
    connection = engine.connect()
    for sql in ADMINISTRATOR:
        connection.run(sql)
    connection.close()
    engine.close()
    take_over(directory / "users.xml")
    connection = Engine(directory, config).connect()
    print(json.dumps([code(connection, sql) for sql in json.load(sys.stdin)]))
    sys.stdout.flush()
    os._exit(0)  # the engine's library aborts when the interpreter unloads it


if __name__ == "__main__":
    main()
