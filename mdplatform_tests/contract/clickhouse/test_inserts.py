"""Rows arrive as they were sent, whatever is in them."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Client, Table

AWKWARD = ["", "\n\n", "a\n\nb", "\t;\\", "'); DROP TABLE x; --", "\0\x01", "ünï"]


def test_rows_come_back_as_inserted(client: Client, table: Table) -> None:
    name = table("n UInt32, s String, a Array(Float64)")
    rows = [(n, text, [n / 2, -1.0]) for n, text in enumerate(AWKWARD)]
    client.insert(name, rows, column_names=["n", "s", "a"])
    assert client.query(f"SELECT * FROM {name} ORDER BY n").result_rows == rows


def test_a_hundred_thousand_rows_with_blank_lines_are_all_there(client: Client, table: Table) -> None:
    name = table("n UInt32, s String")
    client.insert(name, [(n, AWKWARD[n % len(AWKWARD)]) for n in range(100_000)], column_names=["n", "s"])
    counted = client.query(f"SELECT count(), sum(n), countIf(s = '\\n\\n') FROM {name}").first_row
    assert counted == (100_000, sum(range(100_000)), sum(n % len(AWKWARD) == 1 for n in range(100_000)))


def test_a_frame_is_inserted(client: Client, table: Table) -> None:
    name = table("at DateTime64(3, 'UTC'), price Float64")
    at = pd.to_datetime(["2026-11-21T10:00:00.123Z"])
    client.insert_df(name, pd.DataFrame({"at": at, "price": [0.1]}))
    assert client.query(f"SELECT toString(at), price FROM {name}").first_row == ("2026-11-21 10:00:00.123", 0.1)


def test_an_arrow_table_is_inserted(client: Client, table: Table) -> None:
    name = table("n UInt32, s String")
    client.insert_arrow(name, pa.table({"n": pa.array([7], pa.uint32()), "s": ["x\n\ny"]}))
    assert client.query(f"SELECT * FROM {name}").first_row == (7, "x\n\ny")


def test_a_frame_of_arrow_columns_is_inserted(client: Client, table: Table) -> None:
    name = table("n UInt32")
    client.insert_df_arrow(name, pd.DataFrame({"n": pd.array([1, 2], dtype="uint32[pyarrow]")}))
    assert client.query(f"SELECT sum(n) FROM {name}").first_row == (3,)


@pytest.mark.parametrize(
    "sent",
    [
        "INSERT INTO {t} VALUES (1, 'a;\n\nb'), (2, 'c');",
        "INSERT INTO {t} (n, s) FORMAT JSONEachRow\n{{\"n\": 1, \"s\": \"a;\\n\\nb\"}}\n\n{{\"n\": 2, \"s\": \"c\"}}",
        "INSERT INTO {t} SETTINGS max_insert_threads = 1 FORMAT CSV\n1,\"a;\n\nb\"\n2,c\n",
        "WITH 1 AS x INSERT INTO {t} FORMAT CSV\n1,\"a;\n\nb\"\n2,c\n",
        "/* x; */ insert into {t} format TabSeparated\n1\ta;\\n\\nb\n2\tc\n",
        "INSERT INTO {t} SELECT 1, 'a;\n\nb' UNION ALL SELECT 2, 'c'",
    ],
)  # fmt: skip
def test_data_in_the_statement_is_inserted_whole(url: str, table: Table, sent: str) -> None:
    name = table("n UInt32, s String")
    reply = ask(url, sent.format(t=name))
    assert reply.status == 200, reply.body
    assert ask(url, f"SELECT * FROM {name} ORDER BY n").body == b"1\ta;\\n\\nb\n2\tc\n"


def test_the_statement_may_be_in_the_url_and_the_data_in_the_body(url: str, table: Table) -> None:
    name = table("n UInt32, s String")
    ask(url, b"1\tx\n2\ty\n", {"query": f"INSERT INTO {name} FORMAT TabSeparated"})
    assert ask(url, f"SELECT count() FROM {name}").body == b"2\n"


def test_values_may_be_expressions(url: str, table: Table) -> None:
    name = table("n UInt32, s String")
    ask(url, f"INSERT INTO {name} VALUES (1 + 1, concat('a', 'b'))")
    assert ask(url, f"SELECT * FROM {name}").body == b"2\tab\n"


def test_the_summary_counts_the_rows_written(client: Client, table: Table) -> None:
    name = table("n UInt32")
    assert client.insert(name, [[n] for n in range(1000)], column_names=["n"]).written_rows == 1000


def test_a_row_that_does_not_fit_refuses_the_whole_insert(url: str, table: Table) -> None:
    name = table("n UInt32")
    assert ask(url, f"INSERT INTO {name} FORMAT CSV\n1\nx\n").status == 400
    assert ask(url, f"SELECT count() FROM {name}").body == b"0\n"


def test_times_keep_their_microseconds(client: Client, table: Table) -> None:
    name = table("at DateTime64(6, 'UTC')")
    at = dt.datetime(2026, 11, 21, 23, 59, 59, 999_999, tzinfo=dt.UTC)
    client.insert(name, [[at]], column_names=["at"])
    assert client.query(f"SELECT at FROM {name}", query_tz="UTC", tz_mode="aware").first_row[0] == at


def test_delete_removes_exactly_the_rows_of_its_condition(url: str, client: Client, table: Table) -> None:
    name = table("n UInt32")
    client.insert(name, [[n] for n in range(100)], column_names=["n"])
    ask(url, f"DELETE FROM {name} WHERE n >= 10")
    assert ask(url, f"SELECT count(), max(n) FROM {name}").body == b"10\t9\n"
