"""What any page in a browser of this machine may try at the node, and that GET reads only."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect import get_client

from mdplatform.core.browsers import hostname
from mdplatform.embedded.clickhouse import start
from mdplatform_tests.contract.clickhouse.asking import Reply, ask
from mdplatform_tests.security.host import Host

MADE = "CREATE TABLE marketdata.made (x UInt8) ENGINE = Memory"
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8123"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "evil.example#127.0.0.1"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "10.0.0.1"},
    {"Host": "[fe80::1]:80"},
    {"Host": ""},
    {},
    {"Host": "localhost", "Origin": "http://evil.example"},
    {"Host": "localhost", "Origin": "https://localhost"},
    {"Host": "localhost", "Origin": "http://localhost:3000"},
    {"Host": "localhost", "Origin": "http://localhost.evil.example"},
    {"Host": "localhost", "Origin": "null"},
    {"Host": "localhost", "Origin": ""},
    {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
    {"Host": "localhost", "Sec-Fetch-Site": "same-site"},
    {"Host": "localhost", "Sec-Fetch-Site": "Cross-Site", "Sec-Fetch-Mode": "no-cors"},
]
OURS = [
    {"Host": "localhost"},
    {"Host": "LOCALHOST:8123"},
    {"Host": "127.0.0.1:8123"},
    {"Host": "127.1.2.3"},
    {"Host": "[::1]:8123"},
    {"Host": "localhost:8123", "Origin": "http://localhost:8123", "Sec-Fetch-Site": "same-origin"},
    {"Host": "localhost", "Sec-Fetch-Site": "none"},
]


def visit(url: str, headers: Mapping[str, str], sql: str = "", *, method: str = "POST", query: str = "") -> Reply:
    """A request whose Host is the given one, or none, with the credentials that a browser would remember."""
    address = urlsplit(url)
    asked = {"user": address.username or "", "password": "all", **({"query": query} if query else {})}
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.putrequest(method, f"/?{urlencode(asked)}", skip_host=True)
        for name, value in {**headers, "Content-Type": "text/plain", "Content-Length": str(len(sql))}.items():
            connection.putheader(name, value)
        connection.endheaders(sql.encode())
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_posts_nothing(host: Host, headers: dict[str, str]) -> None:
    reply = visit(host.node.url, headers, MADE)
    assert (host.damage(reply), reply.status, reply.body.count(b"\n")) == ([], 403, 1)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_gets_nothing(host: Host, headers: dict[str, str]) -> None:
    assert visit(host.node.url, headers, method="GET", query="SELECT 1").status == 403


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_who_calls_the_node_by_its_name_is_answered(host: Host, headers: dict[str, str]) -> None:
    assert visit(host.node.url, headers, "SELECT 1").body == b"1\n"


def test_a_configured_name_is_answered(tmp_path: Path) -> None:
    with start(tmp_path, password="all", allowed_hosts=("Market.Example",)) as node:
        assert visit(node.url, {"Host": "market.example:8123"}, "SELECT 1").body == b"1\n"
        assert visit(node.url, {"Host": "other.example"}, "SELECT 1").body.startswith(b"refused")


@pytest.mark.parametrize(
    ("header", "name"),
    [(b"a:1", "a"), (b"A", "a"), (b"[::1]", "::1"), (b"[::1]:8", "::1"), (b"::1", ""), (b"a:b", ""), (b"a@b", "")],
)
def test_a_host_header_is_a_name_and_a_port(header: bytes, name: str) -> None:
    assert hostname(header) == name


GETS: list[tuple[str, dict[str, str]]] = [
    (MADE, {"readonly": "0"}),
    (MADE, {"readonly": "2"}),
    (f"USE marketdata PARALLEL WITH {MADE}", {}),
    ("INSERT INTO marketdata.kept SELECT 2", {"readonly": "0"}),
    ("INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') SELECT 1", {"readonly": "0"}),
    ("SELECT 1", {"readonly": "0"}),
    ("SELECT 1", {"readonly": "3"}),
    ("SELECT 1", {"readonly": "00"}),
    ("SELECT 1", {"readonly": "false"}),
    ("SELECT 1 SETTINGS readonly = 0", {}),
    ("SELECT 1 SETTINGS readonly = 0", {"profile": "default"}),
    ("SET readonly = 0", {}),
    ("SELECT file('{file}')", {}),
    ("SELECT file('{file}')", {"session_id": "by-get"}),
    ("SELECT * FROM url('http://{server}/', 'LineAsString', 'a String')", {}),
    ("SELECT * FROM executable('cat {file}', 'LineAsString', 'a String')", {}),
    ("SELECT * FROM '{table}'", {}),
    (MADE, {"session_id": "by-get"}),
    (MADE, {"session_id": "by-get", "readonly": "0"}),
    ("/* /* */ SELECT 1 -- */ " + MADE, {"readonly": "0"}),
    ("“x", {}),
    ("SET max_threads = 3", {}),
    ("SET max_threads = 3", {"session_id": "by-get"}),
    ("SET readonly = 0", {"session_id": "by-get"}),
    ("SET param_x = '1'", {"session_id": "by-get"}),
    ("SET ROLE ALL", {"session_id": "by-get"}),
    ("SET DEFAULT ROLE NONE TO reader", {"session_id": "by-get"}),
    ("/* SELECT */ SET max_threads = 3", {"session_id": "by-get"}),
    ("USE marketdata", {"session_id": "by-get"}),
    ("CREATE TEMPORARY TABLE made (x UInt8)", {"session_id": "by-get"}),
    ("EXPLAIN AST SET max_threads = 3; DROP TABLE marketdata.kept", {}),
    ("EXECUTE AS reader", {"session_id": "by-get"}),
    ("KILL QUERY WHERE 1", {}),
    ("SYSTEM FLUSH LOGS", {}),
    ("BACKUP TABLE marketdata.kept TO File('{out}')", {}),
    ("SELECT 1 INTO OUTFILE '{out}'", {}),
]


@pytest.mark.parametrize("as_reader", [False, True], ids=["default", "reader"])
@pytest.mark.parametrize(("sql", "parameters"), GETS)
def test_get_reads_only(host: Host, as_reader: bool, sql: str, parameters: dict[str, str]) -> None:
    url = host.node.reader_url if as_reader else host.node.url
    reply = ask(url, parameters={"query": sql.format(**host.values()), **parameters}, method="GET")
    assert (host.damage(reply), reply.status != 200) == ([], True)


@pytest.mark.parametrize("as_reader", [False, True], ids=["default", "reader"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_get_is_one_whatever_its_headers_and_body_say(host: Host, as_reader: bool, method: str, header: str) -> None:
    url = host.node.reader_url if as_reader else host.node.url
    parts = b'--edge\r\nContent-Disposition: form-data; name="query"\r\n\r\n' + MADE.encode() + b"\r\n--edge--\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=edge"}
    for parameters, body, more in (
        ({"query": MADE}, b"", {}),
        ({}, MADE.encode(), {}),
        ({"query": ""}, MADE.encode(), {}),
        ({"query": "-- "}, MADE.encode(), {}),
        ({"query": "SELECT 1"}, b"; " + MADE.encode(), {}),
        ({"query": "SELECT 1"}, parts, form),
        ({"query": "SELECT 1", "method": "POST"}, parts, form),
    ):
        ask(url, body, parameters, method=method, headers={header: "POST", **more})
        assert host.damage(ask(host.node.url, "SELECT 1")) == []


@pytest.mark.parametrize("as_reader", [False, True], ids=["default", "reader"])
def test_a_get_changes_no_session(host: Host, as_reader: bool) -> None:
    url, session = host.node.reader_url if as_reader else host.node.url, {"session_id": "kept-by-get"}
    asked = "SELECT currentDatabase(), getSetting('max_threads'), getSetting('max_block_size') AS x FORMAT TSV"
    before = ask(url, asked, session).body
    for sql in ("SET max_threads = 77", "USE marketdata", "SELECT 1 SETTINGS max_threads = 77"):
        ask(url, parameters={"query": sql, **session}, method="GET")
    ask(url, parameters={"query": "SELECT 1", "max_block_size": "77", "database": "system", **session}, method="GET")
    assert ask(url, asked, session).body == before


@pytest.mark.parametrize("parameters", [{"profile": "default"}, {"role": "default"}])
def test_a_reader_stays_one_whatever_its_profile(host: Host, parameters: dict[str, str]) -> None:
    ask(host.node.reader_url, "SELECT 1", {**parameters, "session_id": "profile"})
    for sql in (MADE, "SELECT 1 SETTINGS max_result_rows = 0", "SELECT 1 SETTINGS readonly = 0"):
        assert ask(host.node.reader_url, sql, {"session_id": "profile"}).status != 200


def test_the_client_still_works(host: Host) -> None:
    with get_client(dsn=host.node.reader_url) as client:
        assert client.query("SELECT n FROM marketdata.kept").result_rows == [(1,)]
