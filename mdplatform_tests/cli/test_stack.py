"""``up`` and ``down`` as commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mdplatform_tests.cli.calling import called, refused


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory on which nothing is left running."""
    yield tmp_path / "data"
    called("down", "--data-dir", str(tmp_path / "data"), seconds=120)


def test_a_stack_comes_up_in_the_background_and_goes_down(data_dir: Path) -> None:
    on = ["--data-dir", str(data_dir)]
    up = ["up", "--only", "broker,clickhouse", "--detach", "--json", *on]
    answer = called(*up, seconds=150, environ={"MDPLATFORM_CLICKHOUSE_PASSWORD": "s3:cret"})
    assert answer.returncode == 0, answer.stderr
    assert b"cret" not in answer.stdout + answer.stderr
    at = json.loads(answer.stdout)
    assert list(at) == ["kafka", "clickhouse", "dagster", "dashboard", "data_dir", "state"]
    assert (at["dagster"], at["dashboard"], at["data_dir"]) == (None, None, str(data_dir))

    # What runs on the data directory is found without any setting.
    counted = called(
        "query", "--format", "tsv", "SELECT count() FROM md_trades", environ={"MDPLATFORM_DATA_DIR": str(data_dir)}
    )
    assert counted.stdout == b"count()\n0\n", counted.stderr

    for again in (up, up[:3] + on):
        assert refused(called(*again)).startswith(f"a stack already runs on {data_dir}; stop it with ")

    ended = called("down", *on, seconds=120)
    assert (ended.returncode, ended.stdout.decode()) == (0, f"stopped the stack on {data_dir}\n")
    assert called("down", *on).stdout.decode() == f"no stack is running on {data_dir}\n"


def test_a_page_with_a_token_comes_up_and_asks_for_it(data_dir: Path) -> None:
    up = ["up", "--only", "dashboard", "--detach", "--json", "--data-dir", str(data_dir)]
    answer = called(*up, seconds=60, environ={"MDPLATFORM_DASHBOARD_TOKEN": "only-here"})
    assert answer.returncode == 0, answer.stderr
    healthz = f"{json.loads(answer.stdout)['dashboard']}/healthz"
    with pytest.raises(HTTPError, match="401"):
        urlopen(healthz, timeout=10)
    with urlopen(Request(healthz, headers={"Authorization": "Bearer only-here"}), timeout=10) as known:
        assert known.status == 200


def test_an_unknown_part_is_one_line(tmp_path: Path) -> None:
    for how in ([], ["--detach"]):
        answer = called("up", "--only", "broker,zookeeper", *how, "--data-dir", str(tmp_path / "data"))
        assert refused(answer).startswith("--only does not know zookeeper; it knows broker")


def test_down_where_nothing_runs_says_so(tmp_path: Path) -> None:
    answer = called("down", "--data-dir", str(tmp_path))
    assert (answer.returncode, answer.stdout.decode()) == (0, f"no stack is running on {tmp_path}\n")
