"""What a page of another site, open in a browser of this machine, may try at a stack: Dagster's pages, the live page,
ClickHouse. They run as `up` starts them."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect import get_client

from mdplatform.core import stack_state
from mdplatform.core.stack_state import StackState
from mdplatform.embedded.stack import Plan, Stack
from mdplatform_tests.cli.calling import called, refused

PARTS = "broker,clickhouse,dashboard,dagster"
NAME = "market.example"
SERVERS = {"dagster": "/server_info", "dashboard": "/healthz", "clickhouse": "/ping"}
MUTATION = 'mutation { setConcurrencyLimit(concurrencyKey: "canary", limit: 1) }'
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": f"{NAME}.evil.example"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://{host}"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
]
OURS = [
    {},
    {"Host": "localhost:1"},
    {"Host": NAME.upper()},
    {"Host": NAME, "Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"},
]
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True)
class Neighbour:
    """A running stack, and what its `up` has said."""

    state: StackState
    said: bytes

    def at(self, server: str) -> str:
        """Host and port."""
        return urlsplit(str(getattr(self.state, server))).netloc.rpartition("@")[2]

    def ask(self, server: str, path: str, headers: Mapping[str, str], body: bytes = b"", method: str = "GET") -> Answer:
        """A request with just these headers; {host} in them is the server's own."""
        host = self.at(server)
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"Host": "{host}", "Content-Length": str(len(body)), **headers}.items():
                connection.putheader(name, value.format(host=host))
            connection.endheaders(body)
            reply = connection.getresponse()
            return Answer(reply.status, reply.read() if method != "HEAD" else b"")
        finally:
            connection.close()

    def graphql(self, query: str, headers: Mapping[str, str]) -> Answer:
        return self.ask("dagster", "/graphql", headers, json.dumps({"query": query}).encode(), "POST")

    def limits(self) -> bytes:
        """What the mutation above would change."""
        return self.graphql("{ instance { concurrencyLimits { concurrencyKey } } }", JSON).body


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbour]:
    on = ["--data-dir", str(tmp_path_factory.mktemp("stack") / "data")]
    up = called("up", "--only", PARTS, "--detach", "--json", "--allow-host", NAME, *on, seconds=200)
    try:
        assert up.returncode == 0, up.stderr
        found = stack_state.read(Path(on[1]))
        assert found is not None
        yield Neighbour(found, up.stdout + up.stderr)
    finally:
        called("down", *on, seconds=120)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("server", SERVERS)
def test_a_foreign_page_gets_nothing(stack: Neighbour, server: str, headers: dict[str, str]) -> None:
    answer = stack.ask(server, SERVERS[server], headers)
    assert (answer.status, answer.body.count(b"\n"), answer.body[:8]) == (403, 1, b"refused:")


@pytest.mark.parametrize("headers", OURS, ids=str)
@pytest.mark.parametrize("server", SERVERS)
def test_who_calls_a_server_by_its_name_is_answered(stack: Neighbour, server: str, headers: dict[str, str]) -> None:
    assert stack.ask(server, SERVERS[server], headers).status == 200


@pytest.mark.parametrize(
    ("server", "measure"), [("dagster", b"mdplatform_runs"), ("dashboard", b"mdplatform_page_feeds")]
)
def test_prometheus_is_answered_and_no_foreign_page_in_its_place(stack: Neighbour, server: str, measure: bytes) -> None:
    answer = stack.ask(server, "/metrics", {})
    assert (answer.status, answer.body.count(b"# TYPE " + measure + b" gauge")) == (200, 1)
    assert [stack.ask(server, "/metrics", headers).status for headers in FOREIGN] == [403] * len(FOREIGN)


@pytest.mark.parametrize(("server", "status"), [("dagster", 200), ("dashboard", 200), ("clickhouse", 403)])
def test_a_link_leads_to_pages_and_not_to_tables(stack: Neighbour, server: str, status: int) -> None:
    assert stack.ask(server, "/", LINK).status == status
    assert stack.ask(server, "/", LINK, b"x=1", "POST").status in (403, 405)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_has_dagster_do_nothing(stack: Neighbour, headers: dict[str, str]) -> None:
    assert stack.graphql(MUTATION, {**headers, **JSON}).status == 403
    assert b"canary" not in stack.limits()


@pytest.mark.parametrize("headers", [{}, {"Accept": "image/*,*/*;q=0.8"}, {"Accept": "text/html"}, LINK], ids=str)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "//graphql", "/%67raphql"])
def test_an_address_has_dagster_do_nothing(stack: Neighbour, path: str, headers: dict[str, str]) -> None:
    stack.ask("dagster", f"{path}?{urlencode({'query': MUTATION})}", headers)
    assert b"canary" not in stack.limits()


def test_dagster_s_own_page_has_it_do_what_it_should(stack: Neighbour) -> None:
    own = {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin", **JSON}
    assert stack.graphql(MUTATION, own).status == 200
    assert b"canary" in stack.limits()
    assert stack.graphql('mutation { deleteConcurrencyLimit(concurrencyKey: "canary") }', own).status == 200
    assert b"canary" not in stack.limits()


def handshake(address: str, headers: Mapping[str, str]) -> bytes:
    """The first line of the answer to who asks for GraphQL's WebSocket."""
    host, _, port = address.rpartition(":")
    asked = {"Host": address, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked |= {"Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Protocol": "graphql-ws"}
    lines = [f"{name}: {value.format(host=address)}" for name, value in {**asked, **headers}.items()]
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall("\r\n".join(["GET /graphql HTTP/1.1", *lines, "", ""]).encode())
        return client.makefile("rb").readline()


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_opens_no_websocket(stack: Neighbour, headers: dict[str, str]) -> None:
    assert b" 403 " in handshake(stack.at("dagster"), headers)


def test_dagster_s_own_page_opens_its_websocket(stack: Neighbour) -> None:
    own = {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "websocket"}
    assert b" 101 " in handshake(stack.at("dagster"), own)


SECRET_FREE = [{}, {"X-ClickHouse-User": "reader"}, {"X-ClickHouse-User": "default", "X-ClickHouse-Key": "default"}]


@pytest.mark.parametrize("headers", [*SECRET_FREE, {"Authorization": "Basic ZGVmYXVsdDo="}], ids=str)
def test_without_a_password_nobody_is_answered(stack: Neighbour, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        for user in ("", "&user=reader", "&user=default&password="):
            answer = stack.ask("clickhouse", f"/?query=SELECT+1{user}", headers, method=method)
            assert (answer.status, answer.body[:10]) == (403, b"Code: 516.")


def test_passwords_are_long_and_each_its_own(stack: Neighbour) -> None:
    passwords = stack.state.passwords
    assert (sorted(passwords), len(set(passwords.values()))) == (["default", "reader"], 2)
    assert min(map(len, passwords.values())) >= 32


def test_the_passwords_are_in_one_file_of_their_owner(stack: Neighbour) -> None:
    directory = Path(stack.state.data_dir)
    secrets = [password.encode() for password in stack.state.passwords.values()]
    holding = [path for path in directory.rglob("*") if path.is_file() and any(s in path.read_bytes() for s in secrets)]
    assert holding == [stack_state.state_file(directory)]
    assert holding[0].stat().st_mode & 0o777 == 0o600
    assert [secret for secret in secrets if secret in stack.said] == []
    assert json.loads(stack.said.splitlines()[-1])["state"] == str(holding[0])


def test_no_password_stands_on_a_command_line(stack: Neighbour) -> None:
    secrets = [password.encode() for password in stack.state.passwords.values()]
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.exists()]
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_our_own_commands_need_no_setting(stack: Neighbour) -> None:
    where = {"MDPLATFORM_DATA_DIR": stack.state.data_dir}
    for option, user in (([], b"reader"), (["--write"], b"default")):
        answer = called("query", "--format", "tsv", *option, "SELECT currentUser()", environ=where)
        assert (answer.returncode, answer.stdout.splitlines()[1:]) == (0, [user]), answer.stderr


@pytest.mark.parametrize(("option", "user"), [([], "reader"), (["--write"], "default")])
def test_other_clients_log_in_with_what_connect_shows(stack: Neighbour, option: list[str], user: str) -> None:
    on = ["--data-dir", stack.state.data_dir]
    dsn = called("connect", "--format", "url", *option, *on).stdout.decode().strip()
    with get_client(dsn=dsn) as client:
        assert client.query("SELECT currentUser(), currentDatabase()").result_rows == [(user, "marketdata")]
    shown = dict(line.split() for line in called("connect", *option, *on).stdout.decode().splitlines())
    with get_client(
        host="127.0.0.1",
        port=urlsplit(shown["address"]).port or 0,
        username=shown["user"],
        password=shown["password"],
        database=shown["database"],
    ) as client:
        assert client.query("SELECT currentUser()").result_rows == [(user,)]


def test_curl_logs_in_without_a_password_on_its_command_line(stack: Neighbour) -> None:
    if (curl := shutil.which("curl")) is None:
        pytest.skip("no curl")
    config = called("connect", "--format", "curl", "--data-dir", stack.state.data_dir).stdout
    asked = [curl, "-sS", "--noproxy", "*", "-K", "-", "--data-binary", "SELECT currentUser()"]
    assert subprocess.run(asked, input=config, capture_output=True, check=True).stdout == b"reader\n"


def planned(data_dir: Path, **environ: str) -> Stack:
    return Stack(Plan(data_dir, ("clickhouse",), environ), lambda _: None, lambda _: None)


def test_a_restarted_stack_keeps_its_passwords(tmp_path: Path) -> None:
    first = planned(tmp_path)
    stack_state.write(first.state)
    assert planned(tmp_path).environ["CLICKHOUSE_URL"] == first.environ["CLICKHOUSE_URL"]
    assert planned(tmp_path / "other").state.passwords != first.state.passwords


def test_a_password_that_is_given_wins(tmp_path: Path) -> None:
    stack_state.write(planned(tmp_path).state)
    stack = planned(tmp_path, MDPLATFORM_CLICKHOUSE_PASSWORD="o/ne", MDPLATFORM_CLICKHOUSE_READER_PASSWORD="two")
    assert "//default:o%2Fne@" in stack.environ["CLICKHOUSE_URL"]
    assert "//reader:two@" in stack.environ["CLICKHOUSE_READER_URL"]


def test_connect_says_where_no_stack_runs(tmp_path: Path) -> None:
    nothing = {"CLICKHOUSE_URL": "", "CLICKHOUSE_READER_URL": ""}
    assert refused(called("connect", "--data-dir", str(tmp_path), environ=nothing)).startswith("no ClickHouse runs on ")
