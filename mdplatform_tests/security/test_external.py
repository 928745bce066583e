"""External tables bring data along for one query: a description of columns, and nothing that the engine would run."""

from __future__ import annotations

import clickhouse_connect
import pytest
from clickhouse_connect.driver.external import ExternalData

from mdplatform_tests.contract.clickhouse.asking import Reply, ask
from mdplatform_tests.security.host import Host

STRUCTURES = [
    "a String) ENGINE = File(CSV, '{out}') --",
    "a String) ENGINE = File(CSV, '{file}') --",
    "a String) ENGINE = URL('http://{server}/', 'LineAsString') --",
    "a String) ENGINE = Memory AS SELECT file('{file}') --",
    "a String) ENGINE = Memory PARALLEL WITH CREATE TABLE marketdata.made (x UInt8) ENGINE = Memory --",
    "a String) ENGINE = Memory; CREATE TABLE marketdata.made (x UInt8) ENGINE = Memory --",
    "a String, b String DEFAULT file('{file}')",
    "a String, b String MATERIALIZED file('{file}')",
    "a String, b String ALIAS file('{file}')",
    "a String, b String EPHEMERAL file('{file}')",
    "a String DEFAULT throwIf(1, file('{file}'))",
    "a String CODEC(NONE)",
    "a String TTL now()",
    "a String COMMENT 'x'",
    "a Enum8('x' = length(file('{file}')))",
    "a FixedString(length(file('{file}')))",
    "a DateTime(file('{file}'))",
    "a AggregateFunction(sum, UInt8)",
    "a String, CONSTRAINT c CHECK file('{file}') = ''",
    "a String, INDEX i file('{file}') TYPE minmax",
    "a String, PROJECTION p (SELECT file('{file}'))",
    "`a` String /* */",
    "`a\\` String) AS SELECT file('{file}') -- ` String",
    "a String, b",
    "a Array(" * 100 + "String" + ")" * 100,
    "a Enum8('\\x27 = 1, b String DEFAULT file(\\'{file}\\') --')",
    ") AS SELECT file('{file}') AS a --",
    "",
]
FORMATS = [
    "LineAsString PARALLEL WITH CREATE TABLE marketdata.made (x UInt8) ENGINE = Memory",
    "LineAsString; DROP TABLE marketdata.kept",
    "CSV SETTINGS max_threads = 1",
    "Values",
    "Template",
    "Protobuf",
    "CapnProto",
    "MySQLDump",
    "AvroConfluent",
    "Regexp",
    "csv\n",
]


def bring(
    host: Host, url: str, structure: str, form: str = "CSV", data: str = "x\n", part: str = "ext", **more: str
) -> Reply:
    """One query with an external table, as a client would send it."""
    values = host.values()
    parameters = {f"{part}_structure": structure.format(**values), f"{part}_format": form, **more}
    body = (
        f'--edge\r\nContent-Disposition: form-data; name="{part}"; filename="x"\r\n\r\n{data.format(**values)}\r\n'
        '--edge\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT * FROM ext\r\n--edge--\r\n'
    )
    return ask(url, body.encode(), parameters, headers={"Content-Type": "multipart/form-data; boundary=edge"})


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_structure_is_columns_alone(host: Host, structure: str) -> None:
    reply = bring(host, host.node.reader_url, structure)
    assert (host.damage(reply), reply.code, reply.body.count(b"\n")) == ([], "36", 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_one_that_needs_columns_alone(host: Host, form: str) -> None:
    reply = bring(host, host.node.reader_url, "a String", form, data="(file('{file}'))")
    assert (host.damage(reply), reply.code, reply.body.count(b"\n")) == ([], "36", 1)


def test_types_are_types_alone(host: Host) -> None:
    reply = bring(host, host.node.reader_url, "", ext_types=f"String DEFAULT file('{host.values()['file']}')")
    assert (host.damage(reply), reply.code) == ([], "36")


@pytest.mark.parametrize("setting", ["format_template_row", "format_schema"])
def test_settings_do_not_come_in_before_the_reader(host: Host, setting: str) -> None:
    # The engine lets a setting that is forbidden pass where it has that value already.
    reply = bring(host, host.node.reader_url, "a String", **{setting: host.values()["file"]})
    assert (host.damage(reply), reply.code) == ([], "452")


def test_limits_do_not_come_in_before_the_reader(host: Host) -> None:
    assert bring(host, host.node.reader_url, "a String", max_result_rows="0").code == "452"


def test_a_part_s_name_is_a_name(host: Host) -> None:
    reply = bring(host, host.node.reader_url, "a String", part="ext` (a UInt8) ENGINE = Memory --")
    assert (host.damage(reply), reply.code) == ([], "60")


def test_a_session_whose_table_failed_is_the_reader_s(host: Host) -> None:
    bring(host, host.node.reader_url, "a UInt8", data="no number\n", session_id="failed")
    reply = ask(host.node.reader_url, "SELECT currentUser()", {"session_id": "failed"})
    assert reply.body == b"reader\n"


def test_a_later_request_of_a_session_brings_tables_too_and_stays_the_reader_s(host: Host) -> None:
    url, session = host.node.reader_url, {"session_id": "later"}
    for sql in ("SET max_threads = 3", "SET max_result_rows = 5", "USE system"):
        assert ask(url, sql, session).status == 200
    for word in ("one", "two"):
        assert bring(host, url, "a String", data=word, **session).body == word.encode() + b"\n"
    asked = "currentUser(), currentDatabase(), getSetting('max_threads'), getSetting('max_result_rows')"
    assert ask(url, f"SELECT {asked}", session).body == b"reader\tsystem\t3\t5\n"
    for sql, code in (
        ("SELECT * FROM ext", "60"),
        ("CREATE TEMPORARY TABLE made (a UInt8)", "164"),
        ("SET max_result_rows = 0", "452"),
        ("SET readonly = 0", "164"),
        ("EXECUTE AS loader", "164"),
    ):
        reply = ask(url, sql, session)
        assert (host.damage(reply), reply.code) == ([], code)


def test_a_later_table_that_fails_leaves_the_session_the_reader_s(host: Host) -> None:
    url, session = host.node.reader_url, {"session_id": "fails-later"}
    ask(url, "SET max_result_rows = 5", session)
    bring(host, url, "a UInt8", data="no number", **session)
    assert ask(url, "SELECT currentUser(), getSetting('max_result_rows')", session).body == b"reader\t5\n"


def test_nobody_logs_in_as_the_one_who_creates(host: Host) -> None:
    assert ask(host.node.url, "SELECT 1", {"user": "loader"}, credentials=False).code == "516"


@pytest.mark.parametrize(
    ("structure", "data", "row"),
    [
        ("n UInt8, s String", b'1,"one\n\n"\n', (1, "one\n\n")),
        ("`n` Nullable(Decimal(18, 4)),\n s LowCardinality(String)", b"\\N,x\n", (None, "x")),
        ("e Enum8('a' = 1, 'it\\'s' = -2), m Map(String, UInt8)", b"a,\"{'k':1}\"\n", ("a", {"k": 1})),
        ("t Tuple(x UInt8, y String), a Array(Int64)", b'1,y,"[1,2]"\n', ({"x": 1, "y": "y"}, [1, 2])),
    ],
)
def test_columns_of_every_kind_are_joined(host: Host, structure: str, data: bytes, row: tuple[object, ...]) -> None:
    external = ExternalData(file_name="ext.csv", data=data, fmt="CSV", structure=structure)
    with clickhouse_connect.get_client(dsn=host.node.reader_url, autogenerate_session_id=False) as client:
        found = client.query("SELECT * FROM ext", external_data=external).result_rows
    assert str(found) == str([row])
