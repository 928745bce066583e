"""What a query answers, over the client and over plain HTTP."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Client, Table


def test_ping_answers_ok(url: str) -> None:
    assert ask(url, path="/ping", method="GET").body == b"Ok.\n"


def test_a_request_without_query_answers_ok(url: str) -> None:
    assert ask(url, method="GET").body == b"Ok.\n"


def test_a_query_in_the_body_answers_tab_separated(url: str) -> None:
    assert ask(url, "SELECT 1, 'a\tb'").body == b"1\ta\\tb\n"


def test_a_query_in_the_url_answers_to_get(url: str) -> None:
    assert ask(url, parameters={"query": "SELECT 40 + 2"}, method="GET").body == b"42\n"


def test_the_default_format_is_the_parameter_s(url: str) -> None:
    assert json.loads(ask(url, "SELECT 1 AS x", {"default_format": "JSONEachRow"}).body) == {"x": 1}


def test_the_format_clause_beats_the_default_format(url: str) -> None:
    assert ask(url, "SELECT 1, 2 FORMAT CSV", {"default_format": "JSONEachRow"}).body == b"1,2\n"


def test_a_statement_ending_in_a_number_keeps_it(url: str) -> None:
    assert ask(url, "SELECT number FROM numbers(10) WHERE number > 8").body == b"9\n"


def test_native_rows_keep_their_types(client: Client) -> None:
    row = client.query("SELECT 1::UInt8, 'x', [1.5], toDate('2026-11-21'), NULL, map('k', 2)").first_row
    assert (row[0], row[1], row[2], str(row[3]), row[4], row[5]) == (1, "x", [1.5], "2026-11-21", None, {"k": 2})


def test_arrow_answers_a_table(client: Client) -> None:
    assert client.query_arrow("SELECT number AS n FROM numbers(5)").to_pydict() == {"n": [0, 1, 2, 3, 4]}


def test_a_streamed_arrow_result_has_every_row_once(client: Client) -> None:
    with client.query_arrow_stream("SELECT number AS n FROM numbers(1000000)") as batches:
        assert sum(sum(batch["n"].to_pylist()) for batch in batches) == sum(range(1_000_000))


def test_a_streamed_arrow_result_without_rows_has_its_columns(client: Client) -> None:
    assert client.query_arrow("SELECT number AS n FROM numbers(5) WHERE number > 9").column_names == ["n"]


def test_a_frame_has_the_columns_of_the_query(client: Client) -> None:
    frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(3)")
    assert frame.to_dict("list") == {"n": [0, 1, 2], "s": ["0", "1", "2"]}


def test_a_million_rows_arrive_whole_and_in_order(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(1000000) ORDER BY number") as blocks:
        rows = [row[0] for block in blocks for row in block]
    assert rows == list(range(1_000_000))


def test_an_empty_result_has_no_rows(client: Client) -> None:
    assert client.query("SELECT number FROM numbers(5) LIMIT 0").result_rows == []


def test_an_empty_result_of_few_rows_is_asked_for_once(client: Client) -> None:
    """A stream without a row gives no columns, and the embedded node would run the statement again for them."""

    def selects() -> int:
        return int(client.command("SELECT value FROM system.events WHERE event = 'SelectQuery' LIMIT 1"))

    before = selects()
    client.query("SELECT number FROM numbers(5) WHERE number > 5 LIMIT 20")
    assert selects() - before == 2  # with the one that counts


@pytest.mark.parametrize("value", ["it's", "a\\b", "tab\tline\nend", "{x:String}", "ünï", ""])
def test_a_parameter_arrives_as_it_was_given(client: Client, value: str) -> None:
    assert client.query("SELECT {x:String}", parameters={"x": value}).first_row == (value,)


def test_a_parameter_of_a_plain_request_is_used(url: str) -> None:
    assert ask(url, "SELECT {n:UInt32} * 2", {"param_n": "21"}).body == b"42\n"


def test_settings_hold_for_their_query_only(client: Client) -> None:
    sql = "SELECT getSetting('max_block_size')"
    before = client.command(sql)
    assert client.query(sql, settings={"max_block_size": 77}).first_row == (77,)
    assert client.command(sql) == before


def test_the_database_parameter_is_the_current_one(url: str) -> None:
    assert ask(url, "SELECT currentDatabase()", {"database": "system"}).body == b"system\n"


def test_several_statements_at_once_are_refused(url: str) -> None:
    assert ask(url, "SELECT 1; SELECT 2").code == "62"


def test_a_semicolon_at_the_end_is_fine(url: str) -> None:
    assert ask(url, "SELECT ';' -- ; SELECT 2\n;").body == b";\n"


def test_the_summary_counts_the_rows_read(url: str) -> None:
    summary = json.loads(str(ask(url, "SELECT count() FROM numbers(1000)").headers["X-ClickHouse-Summary"]))
    assert summary["read_rows"] == "1000"


def test_the_query_id_comes_back(url: str) -> None:
    assert ask(url, "SELECT 1", {"query_id": "mine-1"}).headers["X-ClickHouse-Query-Id"] == "mine-1"


def test_only_a_result_set_has_a_format(url: str, table: Table) -> None:
    name = table("x UInt8")
    assert ask(url, "SELECT 1").headers["X-ClickHouse-Format"] == "TabSeparated"
    assert "X-ClickHouse-Format" not in ask(url, f"TRUNCATE TABLE {name}").headers


def test_small_queries_pass_a_heavy_one(url: str) -> None:
    started = threading.Event()

    def heavy() -> None:
        started.set()
        ask(url, "SELECT sum(sleepEachRow(0.1)) FROM numbers(30)", {"max_block_size": "1"})

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(heavy)
        started.wait()
        answers = {ask(url, f"SELECT {n}").body for n in range(20)}
        assert not running.done()
    assert len(answers) == 20


def test_queries_of_many_threads_get_their_own_answers(url: str) -> None:
    with (
        clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = pool.map(lambda n: client.query("SELECT {n:UInt32}", parameters={"n": n}).first_row[0], range(200))
        assert list(answers) == list(range(200))


def test_a_syntax_error_shows_the_statement_as_it_was_sent(client: Client) -> None:
    with pytest.raises(DatabaseError, match="Syntax error") as refused:
        client.command("SELEC 1")
    assert "/*" not in str(refused.value)
