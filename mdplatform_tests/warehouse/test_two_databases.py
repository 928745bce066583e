"""What people read lies in one database, and what the platform works with in another one."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect, connect_reader
from mdplatform.warehouse.dictionary import PARAMETERIZED, TABLES
from mdplatform.warehouse.files import sql_files, sql_text, statements
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import placeholders, render
from mdplatform_tests.warehouse.rows import after, put_trades
from mdplatform_tests.warehouse.topics import book, create_topics, publish, shows

BEFORE = "0056"  # the migration since when there are two
KAFKA_TABLE = "md_orderbook_stream_kafka"  # where it was, because it is asked for by its name
TABLES_OF = "SELECT name FROM system.tables WHERE database = {database:String} ORDER BY name"


@pytest.fixture(scope="module")
def marketdata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A node of its own, migrated, because its reader may read the database of this name alone."""
    with start(tmp_path_factory.mktemp("clickhouse"), password="all", reader_password="read") as node:
        settings = Settings(clickhouse_url=node.url, clickhouse_reader_url=node.reader_url, kafka_brokers="127.0.0.1:1")
        migrate(settings)
        yield settings


def tables(client: Client, database: str) -> list[str]:
    return [str(name) for (name,) in client.query(TABLES_OF, parameters={"database": database}).result_rows]


def test_a_reader_is_shown_what_he_is_to_read_and_nothing_else(marketdata: Settings) -> None:
    with connect_reader(marketdata, marketdata.clickhouse_database) as client:
        shown = [name for (name,) in client.query("SHOW TABLES").result_rows]
        assert shown == sorted([*TABLES, *PARAMETERIZED])
        for name in TABLES:
            assert client.query(f"SELECT count() FROM (SELECT * FROM {name})").first_row == (0,), name
        for view in PARAMETERIZED.values():
            assert client.query(view.query).result_rows == []


def test_each_column_that_a_reader_sees_says_what_it_is(marketdata: Settings) -> None:
    with connect_reader(marketdata, marketdata.clickhouse_database) as client:
        silent = "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = ''"
        assert client.query(silent).result_rows == []


def test_beside_views_only_a_table_of_promised_name_lies_with_them(marketdata: Settings) -> None:
    with connect(marketdata, marketdata.clickhouse_database) as client:
        others = "SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND engine != 'View'"
        assert client.query(others).result_rows == [(KAFKA_TABLE, "Kafka")]


def test_a_view_that_a_migration_changed_is_published_again_and_no_other(warehouse: Client, empty: Settings) -> None:
    assert queries.run(warehouse, "published_views", on_cluster="") == []
    warehouse.command("CREATE OR REPLACE VIEW md_trades AS SELECT * FROM md_trades_store WHERE price > 0")
    warehouse.command("ALTER TABLE md_index COMMENT COLUMN price 'as the venue''s \\\\ says'")
    due = [row["name"] for row in queries.run(warehouse, "published_views", on_cluster="")]
    assert due == ["md_index", "md_trades"]
    migrate(empty, streams=False)
    assert queries.run(warehouse, "published_views", on_cluster="") == []


def in_one_database(settings: Settings) -> None:
    """The warehouse of ``settings`` as it was before there were two: everything in the readers' one."""
    with connect(settings, database="default") as server:
        server.command(f"CREATE DATABASE `{settings.clickhouse_database}`")
    here = f"`{settings.clickhouse_database}`"
    values = {**placeholders(settings), "readers": here, "internal": here}
    with connect(settings, settings.clickhouse_database) as client:
        for folder in ("migrations", "streams"):
            for path in sql_files(folder):
                if folder == "migrations" and path.name >= BEFORE:
                    continue
                for text in statements(render(sql_text(path), values)):
                    client.command(text)
                queries.command(client, "record_migration", name=f"{folder}/{path.name}", sha256=sha256(path, values))


def sha256(path: Path, values: dict[str, str]) -> str:
    rendered = render(sql_text(path), values).encode()
    return hashlib.sha256(path.read_bytes() if path.parent.name == "migrations" else rendered).hexdigest()


def test_a_warehouse_of_one_database_becomes_one_of_two_with_its_rows_and_offsets(streaming: Settings) -> None:
    create_topics(streaming)
    in_one_database(streaming)
    counted = "SELECT count(), uniqExact(sequence) FROM md_orderbook_depth"
    publish(streaming, streaming.topic_books, [book(number) for number in range(1, 11)])
    with connect(streaming, streaming.clickhouse_database) as client:
        shows(client, counted, [(10, 10)])
    report = migrate(streaming)
    assert report.applied == [f"migrations/{path.name}" for path in sql_files("migrations") if path.name >= BEFORE]
    publish(streaming, streaming.topic_books, [book(number) for number in range(11, 21)])
    with connect(streaming, streaming.clickhouse_database) as client, connect(streaming) as ours:
        shows(client, counted, [(20, 20)])
        assert tables(client, streaming.clickhouse_database) == sorted([*TABLES, *PARAMETERIZED, KAFKA_TABLE])
        # The newest offset of each: nothing was read twice, and nothing passed over.
        assert ours.query("SELECT count(), max(_offset) FROM md_orderbook_depth_store").first_row == (20, 19)
        # Another view of the same block: a table shows it a moment later.
        shows(ours, "SELECT count() FROM md_messages WHERE dataset = 'books'", [(20,)])


@pytest.mark.parametrize("done", [0.4, 0.99])
def test_a_move_that_was_cut_short_goes_on(empty: Settings, done: float) -> None:
    in_one_database(dataclasses.replace(empty, kafka_brokers="127.0.0.1:1"))
    with connect(empty, empty.clickhouse_database) as client:
        put_trades(client, {"at": after(1), "id": "1"})
        client.command(f"CREATE DATABASE `{empty.internal_database}`")
        client.command("CREATE VIEW my_own AS SELECT count() AS trades FROM md_trades")
    with connect(empty) as client:
        moves = queries.run(client, "moves", on_cluster="")
        for row in moves[: round(len(moves) * done)]:
            client.command(row["statement"])
        migrate(empty, streams=False)
        assert queries.run(client, "moves", on_cluster="") == queries.run(client, "moved_views", on_cluster="") == []
    with connect(empty, empty.clickhouse_database) as client:
        assert tables(client, empty.clickhouse_database) == sorted([*TABLES, *PARAMETERIZED, "my_own"])
        assert client.query("SELECT trades FROM my_own").first_row == (1,)
        assert client.query("SELECT count() FROM md_bars(seconds = 60)").first_row == (1,)
