"""The database is built once, the same way everywhere, and shipped files stay as they were."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import ConfigError, WarehouseError
from mdplatform.core.events import BookChange
from mdplatform.core.settings import Settings
from mdplatform.warehouse import files, lock, migrations, queries
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import sql_files, sql_text, statements
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import placeholders, render
from mdplatform_tests.warehouse.copied import drop, unused
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_trades
from mdplatform_tests.warehouse.test_book_at import put_changes

SHIPPED = [f"migrations/{path.name}" for path in sql_files("migrations")]
INSERTED = (
    "exchange, symbol, kind, b, bv, a, av, timestamp, first_sequence, sequence, previous_sequence, venue_time, "
    "received_at, provenance, _topic, _partition, _offset"
)
LEVELS = ([60000.1, 59999.0], [0.5, 0.0], [60001.0], [0.12345678])
READERS = {
    "md_orderbook_depth",
    "md_top_of_book",
    "md_trades",
    "md_liquidations",
    "md_funding",
    "md_open_interest",
    "md_index",
    "md_option_summary",
    "md_feed_status",
    "md_feed_stats",
    "md_dead_letter",
    "md_signals",
    "md_spread_hourly",
}


def test_every_migration_is_applied_once_in_order_of_its_number(empty: Settings) -> None:
    assert migrate(empty, streams=False).applied == SHIPPED
    again = migrate(empty, streams=False)
    assert (again.applied, again.recreated) == ([], [])


def test_no_two_migrations_have_one_number() -> None:
    """Else their order hangs on their names. Two pairs are older than this rule."""
    numbers = [path.name[:4] for path in sql_files("migrations") if path.name > "0027"]
    assert len(numbers) == len(set(numbers))


def test_every_promised_table_can_be_read(warehouse: Client) -> None:
    for name in READERS:
        assert warehouse.query(f"SELECT count() FROM (SELECT * FROM {name})").first_row == (0,)


def test_migration_keeps_the_rows(warehouse: Client, empty: Settings) -> None:
    warehouse.command("INSERT INTO md_trades_store (exchange, symbol, id) SELECT 'binance', 'BTC-USDT', '1'")
    migrate(empty, streams=False)
    assert warehouse.query("SELECT count() FROM md_trades").first_row == (1,)


TRADES = [{"at": after(number), "id": str(number)} for number in range(100)]
BOOKS = [{"at": after(number), "sequence": number + 1} for number in range(100)]


def change(number: int) -> BookChange:
    ns = after(number)
    sides = (["60000.1", "59999"], ["0.5", "0"], ["60001"], ["0.12345678"])
    return BookChange("binance", "BTC-USDT", "update", *sides, None, number + 2, number + 1, ns, ns + 7)


@pytest.fixture(scope="module")
def upgraded(clickhouse_url: str) -> Iterator[Client]:
    """A database that had rows before repetitions were distinguished, and changes of books before they were packed."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database=unused())
    migrate_before("0025", settings)
    with connect(settings) as client:
        put_trades(client, *TRADES[:60])
        put_trades(client, *TRADES[40:])
        put_books(client, *BOOKS)
        migrate_before("0052", settings)
        put_changes(client, [change(number) for number in range(60)])
        migrate(settings, streams=False)
        yield client
    drop(settings)


def migrate_before(number: str, settings: Settings) -> None:
    def before(folder: str) -> list[Path]:
        return [path for path in sql_files(folder) if folder != "migrations" or path.name < number]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrations, "sql_files", before)
        migrate(settings, streams=False)


def test_rows_stored_before_an_upgrade_are_still_found_by_their_repetitions(upgraded: Client) -> None:
    put_trades(upgraded, *TRADES, {"at": after(500), "id": "7"})
    put_books(upgraded, *BOOKS, {"at": after(500), "sequence": 7})
    for merged in (False, True):
        for table, key in (("trades", "id"), ("orderbook_depth", "sequence"), ("top_of_book", "sequence")):
            counts = f"SELECT count(), uniqExact({key}), countIf(toString({key}) = '7') FROM md_{table}"
            assert upgraded.query(counts).first_row == (101, 100, 2), (table, merged)
            upgraded.command(f"OPTIMIZE TABLE md_{table}_store FINAL")


def test_changes_of_books_stored_before_they_were_packed_are_read_and_found_by_their_repetitions(
    upgraded: Client,
) -> None:
    put_changes(upgraded, [change(number) for number in range(40, 100)])
    day = {"exchange": "binance", "symbol": "BTC-USDT", "first": HOUR, "last": HOUR + timedelta(days=1)}
    queries.command(upgraded, "history_books_forget", **day)  # of an archive's rows: all of these stay
    for _ in range(2):
        stated = "SELECT b, bv, a, av, min(toUnixTimestamp64Nano(received_at)), count(), uniqExact(sequence)"
        rows = upgraded.query(f"{stated} FROM md_book_increments GROUP BY b, bv, a, av").result_rows
        assert rows == [(*LEVELS, change(0).received_ns, 100, 100)]
        # As the changelog says of how rows from before are packed.
        upgraded.command(f"INSERT INTO md_book_increments_store ({INSERTED}) SELECT {INSERTED} FROM md_book_increments")
        upgraded.command("OPTIMIZE TABLE md_book_increments_store FINAL")
    unpacked = "SELECT count(), countIf(notEmpty(b_unpacked)) FROM md_book_increments_store"
    assert upgraded.query(unpacked).first_row == (100, 0)


@pytest.mark.usefixtures("warehouse")
def test_changed_migration_is_refused_by_name(empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("migrations", "queries", "access"):
        (tmp_path / folder).mkdir()
        for path in sql_files(folder):
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "migrations/0003_trades.sql").write_text("SELECT 1;\n")
    monkeypatch.setattr(files, "SQL", tmp_path)
    with pytest.raises(WarehouseError, match=r"migrations/0003_trades\.sql"):
        migrate(empty, streams=False)


def test_concurrent_migrations_do_no_harm(empty: Settings) -> None:
    failures: list[BaseException] = []

    def one() -> None:
        try:
            migrate(empty, streams=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect(empty) as client:
        assert client.query("SELECT name FROM _migrations ORDER BY name").result_columns == [SHIPPED]


def test_lock_that_nobody_holds_alive_is_taken_over(
    warehouse: Client, empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries.command(warehouse, "lock_take")
    monkeypatch.setattr(lock, "ABANDONED_S", 1)
    assert migrate(empty, streams=False).applied == []


def test_lock_that_is_held_is_waited_for(warehouse: Client, empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.5)
    queries.command(warehouse, "lock_take")
    with pytest.raises(WarehouseError, match="another migration"):
        migrate(empty, streams=False)


@pytest.mark.parametrize("folder", ["migrations", "streams", "access"])
def test_cluster_rendering_is_sound_sql(warehouse: Client, folder: str) -> None:
    values = placeholders(Settings(clickhouse_cluster="main"))
    for path in sql_files(folder):
        for statement in statements(render(sql_text(path), values)):
            # The engine's own parser; it raises at a syntax error.
            formatted = warehouse.query("SELECT formatQuery({sql:String})", parameters={"sql": statement}).first_row[0]
            assert "ON CLUSTER main" in formatted.replace("'", "").replace("`", "")


def test_cluster_rendering_replicates_what_holds_data() -> None:
    values = placeholders(Settings(clickhouse_cluster="main"))
    for path in sql_files("migrations"):
        engines = [line for line in render(sql_text(path), values).splitlines() if line.startswith("ENGINE")]
        assert all("= Replicated" in line for line in engines)


@pytest.mark.parametrize("folder", ["migrations", "streams", "access"])
def test_one_node_rendering_leaves_no_placeholder(folder: str) -> None:
    for path in sql_files(folder):
        assert "{{" not in render(sql_text(path), placeholders(Settings()))


def test_busy_streams_are_read_by_as_many_consumers_as_set() -> None:
    values = placeholders(Settings(kafka_consumers=2))
    texts = {path.stem: render(sql_text(path), values) for path in sql_files("streams")}
    assert {name for name, text in texts.items() if "kafka_num_consumers = 2" in text} == {
        *("books", "increments", "quotes", "trades"),
    }
    assert all("kafka_num_consumers = 1" in text or "kafka_num_consumers = 2" in text for text in texts.values())


@pytest.mark.parametrize("consumers", [0, 5])
def test_a_number_of_consumers_that_no_server_has_threads_for_is_refused(consumers: int) -> None:
    with pytest.raises(ConfigError, match=f"MDPLATFORM_KAFKA_CONSUMERS must be 1 to 4, not {consumers}"):
        placeholders(Settings(kafka_consumers=consumers))


def test_unknown_placeholder_is_refused() -> None:
    with pytest.raises(ConfigError, match="nonsense"):
        render("SELECT {{nonsense}}", {})


def test_every_column_of_a_stored_table_says_what_it_is(warehouse: Client) -> None:
    silent = warehouse.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase()"
        " AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"
        " AND comment = ''"
    )
    assert silent.result_rows == []


def test_unreachable_server_is_one_clear_line() -> None:
    settings = Settings(clickhouse_url="http://default:secret@127.0.0.1:1")
    with pytest.raises(WarehouseError, match=r"^ClickHouse at http://default:\*\*\*@127.0.0.1:1 cannot be reached"):
        connect(settings)


def test_a_wrong_password_is_reported_without_showing_it(clickhouse_url: str) -> None:
    url = clickhouse_url.replace("://default:", "://default:wrong")
    with pytest.raises(WarehouseError, match="refuses this user or password") as caught:
        connect(Settings(clickhouse_url=url))
    assert "wrong" not in str(caught.value)


def test_missing_database_names_the_cure(empty: Settings) -> None:
    with pytest.raises(WarehouseError, match="mdplatform migrate"):
        connect(dataclasses.replace(empty, clickhouse_database="nowhere"))


def test_query_refuses_other_parameters_than_its_own(warehouse: Client) -> None:
    with pytest.raises(WarehouseError, match="takes hour"):
        queries.run(warehouse, "book_is_not_crossed", hours=1)


def test_every_query_has_a_name_of_its_own() -> None:
    names = [path.stem for path in sql_files("queries")]
    assert len(names) == len(set(names))


def test_unknown_query_names_those_there_are() -> None:
    with pytest.raises(WarehouseError, match="book_is_not_crossed"):
        queries.load("nonsense")


@pytest.mark.parametrize("path", sql_files("queries"), ids=lambda path: path.stem)
def test_every_query_is_one_statement(path: Path) -> None:
    assert len(statements(sql_text(path))) == 1
