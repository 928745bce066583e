"""Statements for a cluster: parsed by the engine itself, replicated where they hold data, and seen over all shards."""

import re

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import sql_files, sql_text, statements
from mdplatform.warehouse.render import placeholders, render

FOLDERS = ("migrations", "streams", "access")
VALUES = placeholders(Settings(clickhouse_cluster="main"))


def rendered(folder: str) -> list[str]:
    return [text for path in sql_files(folder) for text in statements(render(sql_text(path), VALUES))]


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


@pytest.fixture
def everywhere(warehouse: Client) -> dict[str, str]:
    """By what they make, the statements of which a cluster is made that reads all shards."""
    made = queries.run(warehouse, "everywhere", on_cluster=VALUES["cluster"])
    return {row["name"]: row["statement"] for row in made}


def test_every_view_of_stored_rows_reads_all_shards(warehouse: Client, everywhere: dict[str, str]) -> None:
    text = "SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    here = dict(warehouse.query(text).result_rows)
    made = {name: sql.partition(" AS ")[2] for name, sql in everywhere.items() if "OR REPLACE VIEW" in sql}
    assert made == {name: sql.replace("_store", "_everywhere") for name, sql in here.items() if "_store" in sql}
    assert "md_trades" in made
    assert "md_book_at" in made


def test_every_stored_table_is_seen_over_all_shards(warehouse: Client, everywhere: dict[str, str]) -> None:
    stored = "SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(name, '_store')"
    names = {name.removesuffix("_store") for (name,) in warehouse.query(stored).result_rows}
    made = re.findall(
        rf"TABLE `(\w+)_everywhere` .* AS `(\w+)_store` "
        rf"ENGINE = Distributed\('\{{cluster\}}', '{warehouse.database}', '(\w+)_store'\)",
        "\n".join(everywhere.values()),
    )
    assert {(name, name, name) for name in names} == set(made)


def test_what_is_made_for_a_cluster_is_parsed_by_the_engine_and_goes_to_it(
    warehouse: Client, everywhere: dict[str, str]
) -> None:
    made = [*everywhere.values()]
    for name in ("published_views", "moves", "moved_views"):
        made += [row["statement"] for row in queries.run(warehouse, name, on_cluster=VALUES["cluster"])]
    for text in made:
        assert "main" in formatted(warehouse, text), text
        assert warehouse.query(f"EXPLAIN AST {text}").row_count > 0, text


def test_views_over_all_shards_stay_so_when_they_are_made_again(warehouse: Client, everywhere: dict[str, str]) -> None:
    for name, sql in everywhere.items():
        here = sql.replace(VALUES["cluster"], "")
        if "OR REPLACE TABLE" in here:  # one shard, which is here
            here = f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {name.replace('_everywhere', '_store')}"
        warehouse.command(here)
    again = queries.run(warehouse, "everywhere", on_cluster=VALUES["cluster"])
    assert {row["name"]: row["statement"] for row in again if row["name"] in everywhere} == everywhere
    assert warehouse.query("SELECT count() FROM md_bars(seconds = 60)").first_row == (0,)
