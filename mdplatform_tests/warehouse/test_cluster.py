"""Statements for a cluster: parsed by the engine itself, replicated where they hold data, and seen over all shards."""

import re

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import sql_files, sql_text, statements
from mdplatform.warehouse.render import placeholders, render

FOLDERS = ("migrations", "streams", "access", "cluster")
VALUES = placeholders(Settings(clickhouse_cluster="main"))
VIEW = re.compile(r"CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?(\w+) [^\n]* AS\n(.*)", re.DOTALL)


def rendered(folder: str) -> list[str]:
    return [text for path in sql_files(folder) for text in statements(render(sql_text(path), VALUES))]


def views(texts: list[str]) -> dict[str, str]:
    """The last definition of each view."""
    return {found[1]: found[2] for text in texts if (found := VIEW.search(text))}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_statement_is_parsed_by_the_engine_and_goes_to_the_cluster(clickhouse_url: str, folder: str) -> None:
    with connect(Settings(clickhouse_url=clickhouse_url), database="default") as client:
        for text in rendered(folder):
            assert "main" in formatted(client, text), text
            assert client.query(f"EXPLAIN AST {text}").row_count > 0, text


def formatted(client: Client, text: str) -> str:
    sql = client.query("SELECT formatQuery({sql:String})", parameters={"sql": text}).first_row[0]
    assert "ON CLUSTER" in sql, text
    return str(sql)


def test_every_table_that_holds_data_is_replicated() -> None:
    engines = [line for text in rendered("migrations") for line in text.splitlines() if line.startswith("ENGINE")]
    assert engines
    assert [line for line in engines if "= Replicated" not in line] == []


def test_every_view_of_stored_rows_reads_all_shards() -> None:
    here = {name: body for name, body in views(rendered("migrations")).items() if "_store" in body}
    everywhere = views(rendered("cluster"))
    assert everywhere == {name: body.replace("_store", "_everywhere") for name, body in here.items()}


def test_every_distributed_table_is_of_the_table_of_its_name() -> None:
    made = re.findall(
        r"TABLE (\w+)_everywhere .* AS (\w+)_store\n"
        r"ENGINE = Distributed\('\{cluster\}', currentDatabase\(\), (\w+)_store, ",
        "\n".join(rendered("cluster")),
    )
    assert made
    assert all(len(set(names)) == 1 for names in made)
