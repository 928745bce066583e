"""Who may do what."""

import uuid
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pytest

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Client


@pytest.fixture
def market_table(client: Client) -> str:
    name = f"marketdata.contract_{uuid.uuid4().hex}"
    client.command("CREATE DATABASE IF NOT EXISTS marketdata")
    client.command(f"CREATE TABLE {name} ENGINE = Memory AS SELECT number AS n FROM numbers(3)")
    return name


def test_a_wrong_password_is_refused(url: str) -> None:
    reply = ask(url, "SELECT 1", headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": "no"}, credentials=False)
    assert (reply.status, reply.code) == (403, "516")


def test_an_unknown_user_is_refused(url: str) -> None:
    assert ask(url, "SELECT 1", {"user": "nobody"}, credentials=False).code == "516"


def test_credentials_may_be_headers(url: str) -> None:
    address = urlsplit(url)
    headers = {"X-ClickHouse-User": address.username or "", "X-ClickHouse-Key": unquote(address.password or "")}
    assert ask(url, "SELECT 1", headers=headers, credentials=False).body == b"1\n"


def test_credentials_may_be_parameters(url: str) -> None:
    address = urlsplit(url)
    pair = {"user": address.username or "", "password": unquote(address.password or "")}
    assert ask(url, "SELECT 1", pair, credentials=False).body == b"1\n"


def test_get_changes_nothing(url: str) -> None:
    reply = ask(url, parameters={"query": "CREATE TABLE by_get (x UInt8) ENGINE = Memory"}, method="GET")
    assert reply.code == "164"


def test_a_reader_reads_market_data(reader_url: str, market_table: str) -> None:
    assert ask(reader_url, f"SELECT sum(n) FROM {market_table}").body == b"3\n"


def test_a_reader_uses_the_client(reader_url: str, market_table: str) -> None:
    with clickhouse_connect.get_client(dsn=reader_url) as client:
        assert client.query_df(f"SELECT n FROM {market_table} ORDER BY n")["n"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {t} VALUES (1)",
        "DROP TABLE {t}",
        "TRUNCATE TABLE {t}",
        "ALTER TABLE {t} DELETE WHERE 1",
        "CREATE TABLE marketdata.mine (x UInt8) ENGINE = Memory",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
    ],
)
def test_a_reader_changes_nothing(reader_url: str, market_table: str, sql: str) -> None:
    assert ask(reader_url, sql.format(t=market_table)).code == "164"
    assert ask(reader_url, f"SELECT count() FROM {market_table}").body == b"3\n"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM default.{t}", "497"),
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", "497"),
        ("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "497"),
        ("SELECT * FROM merge('default', '')", "636"),  # nothing matches
    ],
)
def test_a_reader_sees_nothing_else(reader_url: str, client: Client, sql: str, code: str) -> None:
    name = f"contract_{uuid.uuid4().hex}"
    client.command(f"CREATE TABLE {name} ENGINE = Memory AS SELECT 1 AS secret")
    assert ask(reader_url, sql.format(t=name)).code == code
    client.command(f"DROP TABLE {name}")


@pytest.mark.parametrize("setting", ["max_execution_time", "max_result_rows", "max_memory_usage"])
@pytest.mark.parametrize("value", ["0", "1000000000000"])
def test_a_reader_cannot_lift_its_limits(reader_url: str, setting: str, value: str) -> None:
    assert ask(reader_url, f"SELECT 1 SETTINGS {setting} = {value}").code == "452"
    assert ask(reader_url, "SELECT 1", {setting: value}).code == "452"


def test_a_reader_may_lower_its_limits(reader_url: str) -> None:
    assert ask(reader_url, "SELECT number FROM numbers(100)", {"max_result_rows": "5"}).code == "396"
