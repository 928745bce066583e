"""A node starts on a directory, keeps what it was given, and has the directory to itself."""

import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest

from mdplatform.core.process import ProcessError
from mdplatform.embedded.clickhouse import ClickHouseNode, asked_file, start
from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.metrics.scraping import scraped

TABLE = "CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1"


def fill(node: ClickHouseNode) -> None:
    assert ask(node.url, TABLE).status == 200
    assert ask(node.url, "INSERT INTO kept SELECT number FROM numbers(1000)").status == 200


def eventually(claim: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def run_module(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mdplatform.embedded.clickhouse", *options]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_stopped_node_ends_with_code_0_and_keeps_its_rows(tmp_path: Path) -> None:
    with start(tmp_path) as node:
        fill(node)
        assert node.stop() == 0
    with start(tmp_path) as node:
        assert ask(node.url, "SELECT count() FROM kept").body == b"1000\n"


def test_a_killed_node_starts_again_and_has_its_rows(tmp_path: Path) -> None:
    with start(tmp_path) as node:
        fill(node)
        node.kill()
    with start(tmp_path) as node:
        assert ask(node.url, "SELECT count() FROM kept").body == b"1000\n"


def test_a_question_about_market_data_is_noted_and_no_other(tmp_path: Path) -> None:
    with start(tmp_path) as node:
        assert ask(node.url, "SELECT 1").status == 200
        assert ask(node.url, "CREATE TABLE md_one (n UInt32) ENGINE = Memory").status == 200
        assert not asked_file(tmp_path).exists()
        assert ask(node.url, "SELECT count() FROM md_one").body == b"0\n"
        assert asked_file(tmp_path).exists()


def test_a_node_stops_in_the_middle_of_a_query(tmp_path: Path) -> None:
    with start(tmp_path) as node:
        endless = b"SELECT count() FROM system.numbers WHERE NOT ignore(number)"
        running = f"import urllib.request as r; r.urlopen('{node.address}', {endless!r})"
        with subprocess.Popen([sys.executable, "-c", running], stderr=subprocess.DEVNULL) as client:
            while b"system.numbers" not in ask(node.url, "SELECT query FROM system.processes").body:
                assert client.poll() is None
            assert node.stop() == 0


def test_two_processes_do_not_share_a_directory(tmp_path: Path) -> None:
    with start(tmp_path) as node, pytest.raises(ProcessError, match=rf"in use by another .* \(pid {node.pid}\)"):
        start(tmp_path, log=tmp_path / "second.log")


def test_prometheus_logs_in_and_reads_what_the_engine_counts(tmp_path: Path) -> None:
    passwords = {"password": "owners", "reader_password": "readers"}
    with start(tmp_path, **passwords) as node:
        login = {"Authorization": f"Basic {b64encode(b'reader:readers').decode()}"}
        found = scraped(f"{node.address}/metrics", login)
        assert scraped(f"{node.address}/metrics", login).keys() >= found.keys()
        with pytest.raises(HTTPError, match="HTTP Error"):
            scraped(f"{node.address}/metrics")
        # Whatever stands in the address, it is that one query.
        aside = scraped(f"{node.address}/metrics?query=SELECT+1", login)
    assert found["ClickHouseMetrics_Query"][()] >= 1
    assert found["ClickHouseProfileEvents_Query_total"][()] >= 1
    assert aside.keys() >= found.keys()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with start(tmp_path / "first") as node:
        port = node.address.rsplit(":", 1)[1]
        ended = run_module("--data-dir", str(tmp_path / "second"), "--port", port)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        1,
        f"mdplatform.embedded.clickhouse: cannot listen on 127.0.0.1:{port}: Address already in use",
    )


def test_it_does_not_listen_to_the_world_without_a_password(tmp_path: Path) -> None:
    ended = run_module("--data-dir", str(tmp_path), "--host", "0.0.0.0", MDPLATFORM_CLICKHOUSE_PASSWORD="")
    assert "without MDPLATFORM_CLICKHOUSE_PASSWORD" in ended.stderr
    assert ended.returncode == 1


def test_a_password_for_default_leaves_no_open_reader(tmp_path: Path) -> None:
    with start(tmp_path, password="x") as node:
        assert ask(node.reader_url, "SELECT 1").code == "516"


def test_the_reader_s_limits_are_the_given_ones(tmp_path: Path) -> None:
    with start(tmp_path, reader_limits={"max_result_rows": "10"}) as node:
        assert ask(node.reader_url, "SELECT number FROM system.numbers LIMIT 11").code == "396"
        assert ask(node.reader_url, "SELECT number FROM system.numbers LIMIT 10").status == 200


@pytest.mark.parametrize("how", ["DROP TABLE kept SYNC", "DROP TABLE kept"])
def test_what_is_dropped_is_freed(tmp_path: Path, how: str) -> None:
    with start(tmp_path) as node:
        fill(node)
        assert ask(node.url, how).status == 200
        assert eventually(lambda: ask(node.url, "SELECT count() FROM system.dropped_tables").body == b"0\n")
        assert not list((tmp_path / "store" / "store").glob("*/*/all_*"))
