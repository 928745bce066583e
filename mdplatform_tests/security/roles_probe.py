"""Runs statements as a user who has just what ``sql/access`` grants: ``python -m ... DIRECTORY`` < JSON > JSON.

The embedded engine stores no roles, but it obeys those of its configuration: there they are put. In a process of its
own, because the engine lives in the process that opens it.

Input: {"ready": [SQL of the administrator], "ROLE": [SQL], ...}; output: {"ROLE": [error code, 0 for none], ...}.
"""

import json
import os
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse.access import Users
from mdplatform.embedded.clickhouse.config import write_config
from mdplatform.embedded.clickhouse.engine import Engine
from mdplatform.warehouse.files import sql_files, statements
from mdplatform.warehouse.render import placeholders, render
from mdplatform_tests.readers_probe import code

GRANT = re.compile(r"(GRANT|REVOKE)\s+(.*) (?:TO|FROM) (\w+)$", re.DOTALL)


def grants() -> dict[str, list[str]]:
    """By role, what the files grant it."""
    found: dict[str, list[str]] = {}
    for path in sql_files("access"):
        for text in statements(render(path.read_text(), placeholders(Settings()))):
            if match := GRANT.search(text):
                found.setdefault(match[3], []).append(f"{match[1]} {match[2]}")
    return found


def add_roles(path: Path) -> None:
    """Of the user `default`, who is nobody but by one of them; `owner` may do everything."""
    tree = ElementTree.parse(path)
    default = tree.getroot().find("users/default")
    assert default is not None
    for granted_otherwise in ("access_management", "named_collection_control"):
        for element in default.findall(granted_otherwise):
            default.remove(element)
    roles = ElementTree.SubElement(tree.getroot(), "roles")
    of_default = ElementTree.SubElement(default, "grants")
    for role, queries in {"owner": ["GRANT ALL ON *.* WITH GRANT OPTION"], **grants()}.items():
        granted = ElementTree.SubElement(ElementTree.SubElement(roles, role), "grants")
        for query in queries:
            ElementTree.SubElement(granted, "query").text = query
        ElementTree.SubElement(of_default, "query").text = f"GRANT {role}"
    tree.write(path)


def main(directory: Path) -> None:
    asked: dict[str, list[str]] = json.load(sys.stdin)
    ready = asked.pop("ready")
    config = write_config(directory / "config", Users(), {}, {})
    add_roles(directory / "config" / "users.xml")
    engine = Engine(directory, config)
    connection = engine.connect()
    refused = [sql for sql in ready if code(connection, sql)]
    connection.close()
    answers: dict[str, list[int]] = {"ready": [len(refused)]}
    for role, texts in asked.items():
        connection = engine.connect()
        connection.run(f"SET ROLE {role}")
        connection.run("USE marketdata_internal")
        answers[role] = [code(connection, sql) for sql in texts]
        connection.close()
    sys.stdout.write(json.dumps(answers))
    sys.stdout.flush()
    # The engine's library aborts in its destructors; nothing here is to be kept.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
