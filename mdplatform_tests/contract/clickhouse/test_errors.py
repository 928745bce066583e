"""A failure is an error with the code the server would give, wherever in the answer it happens."""

import socket
import time
import uuid
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Client


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM no_such_table", "60"),
        ("SELECT * FROM no_such_database.x", "81"),
        ("SELEC 1", "62"),
        ("SELECT no_such_column", "47"),
        ("SELECT no_such_function(1)", "46"),
        ("SELECT throwIf(1)", "395"),
        ("SELECT 1 FORMAT NoSuchFormat", "73"),
        ("SELECT toDate('x')", "38"),
        ("1 + 1", "62"),
        ("1", "62"),
        (";", "62"),
    ],
)
def test_an_error_has_the_server_s_code(url: str, sql: str, code: str) -> None:
    assert ask(url, sql).code == code


def test_an_error_names_itself_and_the_version(url: str) -> None:
    body = ask(url, "SELECT * FROM no_such_table").body.decode()
    assert body.startswith("Code: 60. DB::Exception: ")
    assert "(UNKNOWN_TABLE) (version " in body


@pytest.mark.parametrize(("sql", "status"), [("SELECT * FROM no_such_table", 404), ("SELEC", 400), ("SELECT 1", 200)])
def test_an_error_has_the_server_s_status(url: str, sql: str, status: int) -> None:
    assert ask(url, sql).status == status


def test_an_unknown_setting_is_refused(url: str) -> None:
    assert ask(url, "SELECT 1", {"no_such_setting": "1"}).code == "115"


def test_a_missing_parameter_is_refused(url: str) -> None:
    assert ask(url, "SELECT {x:UInt8}").code == "456"


def test_a_query_that_takes_too_long_is_ended(url: str) -> None:
    assert (
        ask(url, "SELECT count() FROM system.numbers WHERE NOT ignore(number)", {"max_execution_time": "0.3"}).code
        == "159"
    )


def test_an_error_in_mid_stream_is_an_error(client: Client) -> None:
    sql = "SELECT throwIf(number = 3000000) FROM numbers(4000000)"
    with pytest.raises((StreamFailureError, DatabaseError), match="FUNCTION_THROW_IF"):
        client.query(sql, settings={"wait_end_of_query": 0}).result_rows  # noqa: B018  it is read only now


def test_an_error_after_the_first_rows_does_not_look_like_an_end(client: Client) -> None:
    sql = "SELECT sleepEachRow(0.01), throwIf(number = 100) FROM numbers(200)"
    with pytest.raises(StreamFailureError), client.query_rows_stream(sql, settings={"max_block_size": 1}) as rows:
        for _ in rows:
            pass


def test_waiting_for_the_end_turns_a_late_error_into_an_answer(url: str) -> None:
    sql = "SELECT throwIf(number = 3000000) FROM numbers(4000000)"
    assert ask(url, sql, {"wait_end_of_query": "1"}).code == "395"


def test_a_large_refused_insert_gets_its_error(url: str) -> None:
    assert ask(url, b"INSERT INTO no_such_table FORMAT CSV\n" + b"1,2,3\n" * 2_000_000).code == "60"


def test_a_client_that_goes_away_ends_its_query(url: str) -> None:
    mark = uuid.uuid4().hex
    sql = f"SELECT '{mark}', sum(cityHash64(number)) FROM numbers(1000000000000)"
    running = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    address = urlsplit(url)
    with clickhouse_connect.get_client(dsn=url) as client:
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(_request(url, sql))
            assert _eventually(lambda: client.command(running) == 1)
        assert _eventually(lambda: client.command(running) == 0)


def _request(url: str, sql: str) -> bytes:
    address = urlsplit(url)
    key = unquote(address.password or "")
    head = [
        "POST / HTTP/1.1",
        f"Host: {address.hostname}",
        f"X-ClickHouse-User: {address.username}",
        f"X-ClickHouse-Key: {key}",
    ]
    return "\r\n".join([*head, f"Content-Length: {len(sql)}", "", sql]).encode()


def _eventually(claim: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
