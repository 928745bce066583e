"""A statement's kind, format and data are found in its text, whatever else is in it."""

import pytest

from mdplatform.embedded.clickhouse.errors import Refusal
from mdplatform.embedded.clickhouse.statements import parse


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 1; SELECT 2",
        b"SELECT ';'; DROP TABLE x",
        b"SELECT 1 /* ; */ ; -- ;\n DROP TABLE x",
        b"INSERT INTO t SELECT 1; DROP TABLE x",
        b"SELECT 'a\\'' ; DROP TABLE x --'",
        b"SELECT $a$;$a$; DROP TABLE x",
        b"SELECT 1; 2",
        b"SELECT 1; -- x\n 'y'",
        b"SELECT 1; (SELECT 2)",
    ],
)
def test_a_second_statement_is_refused(sql: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse(sql)
    assert refused.value.code == 62


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT ';'",
        b'SELECT ";"',
        b"SELECT `;`",
        b"SELECT 1 -- ;x",
        b"SELECT $$;$$",
        b"SELECT ';''; '",
        b"# x;\nSELECT 1",
    ],
)
def test_a_semicolon_inside_something_is_no_second_statement(sql: bytes) -> None:
    assert parse(sql).sql == sql


@pytest.mark.parametrize("sql", [b"SELECT 1;", b"SELECT 1 ; -- done", b"SELECT 1;;\n", b"SELECT 1; /* a */ -- b"])
def test_semicolons_at_the_end_are_cut_off(sql: bytes) -> None:
    assert parse(sql).sql.strip() == b"SELECT 1"


@pytest.mark.parametrize("sql", [b"DELETE FROM t WHERE n > 5", b"SELECT n LIMIT 10", b"SELECT 1 +", b"1"])
def test_nothing_else_is_cut_off(sql: bytes) -> None:
    assert parse(sql).sql == sql


@pytest.mark.parametrize(
    ("sql", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01;\x00\n\n", b"\x01;\x00\n\n"),
        (b"INSERT INTO t (`a;b`, format) FORMAT CSV \t\r\n1,2\n", b"1,2\n"),
        (b"insert into t format CSV 1,2", b"1,2"),
        (b"INSERT INTO t VALUES (1, ';'), (2, 'x')", b" (1, ';'), (2, 'x')"),
        (b"INSERT INTO t FORMAT Values (1)", b"(1)"),
        (b"INSERT INTO FUNCTION null('x Int8') VALUES (1)", b" (1)"),
        (b"WITH 1 AS x INSERT INTO t FORMAT TSV\n;\n", b";\n"),
        (b"-- FORMAT CSV\nINSERT INTO t /* VALUES */ FORMAT TSV\nFORMAT CSV\n", b"FORMAT CSV\n"),
    ],
)
def test_the_data_of_an_insert_begins_behind_its_format(sql: bytes, data: bytes) -> None:
    statement = parse(sql)
    assert statement.data_at is not None
    assert sql[statement.data_at :] == data


def test_the_settings_of_an_insert_stand_apart() -> None:
    statement = parse(b"INSERT INTO t (a) SETTINGS max_threads = 1, x = 'FORMAT' FORMAT CSV\n1")
    assert (statement.sql, statement.settings, statement.format) == (
        b"INSERT INTO t (a) ",
        b"SETTINGS max_threads = 1, x = 'FORMAT' ",
        "CSV",
    )


@pytest.mark.parametrize("sql", [b"INSERT INTO t SELECT 1", b"INSERT INTO t WITH 1 AS x SELECT x", b"SELECT 'VALUES'"])
def test_a_statement_without_data_has_none(sql: bytes) -> None:
    assert parse(sql).data_at is None


@pytest.mark.parametrize(
    ("sql", "form"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 SETTINGS max_threads = 1 FORMAT CSV", "CSV"),
        (b"SELECT 1 FORMAT CSV SETTINGS max_threads = 1;", "CSV"),
        (b"SELECT format('{}', x) FROM (SELECT 1 AS x)", None),
        (b"SELECT 1 -- FORMAT JSON", None),
        (b"SELECT 'FORMAT JSON'", None),
        (b"SELECT format, y FROM t", None),
        (b"SELECT format(1) y", None),
        (b"SELECT (1) FORMAT /* as */ JSON", "JSON"),
    ],
)
def test_the_format_of_a_query_is_its_format_clause(sql: bytes, form: str | None) -> None:
    assert parse(sql).format == form


@pytest.mark.parametrize(
    "sql", [b"SELECT 1 INTO OUTFILE '/tmp/x'", b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV"]
)
def test_files_of_the_host_are_refused(sql: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse(sql)
    assert refused.value.code == 48


@pytest.mark.parametrize(
    "sql",
    [b"WITH 1 AS x INSERT INTO t SELECT x", b"INSERT INTO t VALUES (1)", b"/**/ drop table t", b"SYSTEM STOP MERGES"],
)
def test_what_changes_something_is_no_reading(sql: bytes) -> None:
    assert not parse(sql).only_reads


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        (b"SELECT 1 LIMIT 20", "20"),
        (b"SELECT a FROM t ORDER BY a\nLIMIT {limit:UInt64}\nFORMAT Native", "limit"),
        (b"WITH (SELECT 1 LIMIT 1) AS a SELECT a FROM (SELECT 1 UNION ALL SELECT 2) LIMIT 5;", "5"),
        (b"SELECT 1", None),
        (b"SELECT * FROM (SELECT 1 LIMIT 1)", None),
        (b"SELECT 1 UNION ALL SELECT 2 LIMIT 1", None),
        (b"SELECT 1 LIMIT 1 BY a", None),
        (b"SELECT 1 LIMIT 1 BY a LIMIT 2", "2"),
        (b"SELECT 1 LIMIT 1, 2", None),
        (b"SELECT 1 LIMIT 1 WITH TIES", None),
        (b"SELECT 1 LIMIT 0.5", None),
        (b"SELECT 'LIMIT 1'", None),
    ],
)
def test_the_limit_of_a_whole_answer_is_found(sql: bytes, limit: str | None) -> None:
    assert parse(sql).limit == limit
