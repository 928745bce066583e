"""A session ends when nobody uses it, and serves one request at a time."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform_tests.contract.clickhouse.asking import ask


def test_a_session_ends_when_its_time_is_over(clickhouse_node: ClickHouseNode) -> None:
    session = {"session_id": uuid.uuid4().hex, "session_timeout": "0"}
    assert ask(clickhouse_node.url, "SELECT 1", session).status == 200
    assert ask(clickhouse_node.url, "SELECT 1", {**session, "session_check": "1"}).code == "372"


def test_a_session_serves_one_request_at_a_time(clickhouse_node: ClickHouseNode) -> None:
    session = {"session_id": uuid.uuid4().hex}
    heavy = f"SELECT '{session['session_id']}', sleepEachRow(0.1) FROM numbers(20) SETTINGS max_block_size = 1"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, clickhouse_node.url, heavy, session)
        deadline = time.monotonic() + 20
        while session["session_id"].encode() not in ask(clickhouse_node.url, "SELECT query FROM system.processes").body:
            assert time.monotonic() < deadline
        assert ask(clickhouse_node.url, "SELECT 1", session).code == "373"
        assert first.result().status == 200
