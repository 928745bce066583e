"""What lives longer than a request, and what must not."""

import uuid

import clickhouse_connect
from clickhouse_connect.driver.external import ExternalData

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Client


def test_a_session_keeps_its_temporary_table(url: str) -> None:
    session = {"session_id": uuid.uuid4().hex}
    ask(url, "CREATE TEMPORARY TABLE mine AS SELECT 5 AS x", session)
    assert ask(url, "SELECT x FROM mine", session).body == b"5\n"


def test_another_session_does_not_see_it(url: str) -> None:
    ask(url, "CREATE TEMPORARY TABLE mine AS SELECT 5 AS x", {"session_id": uuid.uuid4().hex})
    assert ask(url, "SELECT x FROM mine", {"session_id": uuid.uuid4().hex}).code == "60"
    assert ask(url, "SELECT x FROM mine").code == "60"


def test_set_holds_for_the_session(url: str) -> None:
    session = {"session_id": uuid.uuid4().hex}
    ask(url, "SET max_block_size = 77", session)
    assert ask(url, "SELECT getSetting('max_block_size')", session).body == b"77\n"


def test_a_parameter_of_one_request_does_not_hold_for_the_session(url: str) -> None:
    session = {"session_id": uuid.uuid4().hex}
    ask(url, "SET max_block_size = 77", session)
    ask(url, "SELECT 1", {**session, "max_block_size": "5", "max_threads": "1", "database": "system"})
    sql = "SELECT getSetting('max_block_size'), currentDatabase()"
    assert ask(url, sql, session).body == b"77\tdefault\n"


def test_use_holds_for_the_session(url: str) -> None:
    session = {"session_id": uuid.uuid4().hex}
    ask(url, "USE system", session)
    assert ask(url, "SELECT currentDatabase()", session).body == b"system\n"


def test_a_session_that_must_exist_and_does_not_is_refused(url: str) -> None:
    assert ask(url, "SELECT 1", {"session_id": uuid.uuid4().hex, "session_check": "1"}).code == "372"


def test_a_client_with_a_session_works_request_after_request(url: str) -> None:
    with clickhouse_connect.get_client(dsn=url, session_id=uuid.uuid4().hex) as client:
        assert [client.command(f"SELECT {n}") for n in range(50)] == list(range(50))


def test_external_data_is_joined(client: Client) -> None:
    data = ExternalData(file_name="names.csv", data=b'1,"one\n\n"\n2,two\n', fmt="CSV", structure="n UInt8, s String")
    rows = client.query("SELECT n, s FROM names WHERE n > 0 ORDER BY n", external_data=data).result_rows
    assert rows == [(1, "one\n\n"), (2, "two")]


def test_external_data_is_gone_after_its_query(url: str) -> None:
    session = uuid.uuid4().hex
    data = ExternalData(file_name="ids.csv", data=b"1\n", fmt="CSV", structure="n UInt8")
    with clickhouse_connect.get_client(dsn=url, session_id=session) as client:
        client.query("SELECT n FROM ids", external_data=data)
    assert ask(url, "SELECT n FROM ids", {"session_id": session}).code == "60"


def test_a_multipart_form_carries_query_and_parameters(url: str) -> None:
    parts = {"query": "SELECT {a:String} || {b:String}", "param_a": "x", "param_b": "y;z"}
    fields = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    assert ask(url, f"{fields}--edge--\r\n", headers=headers).body == b"xy;z\n"
