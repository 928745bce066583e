"""Kill -9 at any moment of a build: nobody ever sees half of an hour, and the next build completes it."""

import subprocess
import sys
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from mdplatform.archive.layout import published
from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.publish import publish
from mdplatform.archive.verify import read, verify
from mdplatform_tests.archive.killed_builds import NEW_ROWS
from mdplatform_tests.archive.rows import ORIGIN, TRADES, trades
from mdplatform_tests.archive.s3 import S3Server
from mdplatform_tests.eventually import eventually
from mdplatform_tests.killing import KillingRelay, worker

BUILDS = "mdplatform_tests.archive.killed_builds"
OLD_ROWS = 6


def run(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", BUILDS, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[2])


def assert_whole(root: Root) -> bool:
    """Whether the hour is there; if it is, then proven, as it was before or as it is to be."""
    there = list(published(root)) == [TRADES]
    if there:
        assert verify(root, TRADES).rows in (OLD_ROWS, NEW_ROWS)
    return there


def assert_completed(root: Root) -> None:
    """By the next build."""
    manifest = publish(root, TRADES, [trades(NEW_ROWS)], ORIGIN)
    assert verify(root, TRADES) == manifest


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """The hour as an earlier build left it."""
    publish(tmp_path / "prepared", TRADES, [trades(OLD_ROWS)], ORIGIN)
    return tmp_path / "prepared"


def test_a_build_killed_before_any_of_its_steps_leaves_the_hour_whole(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    with run("each-step", str(prepared), str(tmp_path / "killed")) as driver:
        driver.communicate(timeout=120)
    assert driver.returncode == 0
    places = sorted((tmp_path / "killed").iterdir(), key=lambda path: int(path.name))
    seen = []
    for place in places:
        # Those who read without the manifest see one whole file, too.
        frame = pd.read_parquet(place / "trades")
        assert len(frame) in (OLD_ROWS, NEW_ROWS)
        seen.append((assert_whole(place), len(frame)))
        assert_completed(place)
        left = sorted(path.name for tree in ("", "_manifests") for path in (place / tree / TRADES.path).iterdir())
        assert left == ["_manifest.json", "part-0000.parquet"]
    assert {(True, OLD_ROWS), (False, OLD_ROWS), (False, NEW_ROWS), (True, NEW_ROWS)} == set(seen)


@pytest.mark.parametrize("kind", ["disk", "s3"])
async def test_a_build_killed_amid_its_rows_leaves_nothing_to_see(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    address = str(tmp_path) if kind == "disk" else request.getfixturevalue("s3_server").bucket()
    with run("waiting", address) as build:
        assert build.stdout is not None
        assert build.stdout.readline() == "waiting\n"
        if kind == "disk":
            (staged,) = (tmp_path / TRADES.manifest).parent.iterdir()
            await eventually(lambda: staged.stat().st_size > 100_000)  # its first row group is written meanwhile
        assert list(store_at(address).keys()) == []
        build.kill()
    assert list(store_at(address).keys()) == []
    assert_completed(address)


def test_a_build_killed_before_any_of_its_writes_to_an_object_store_leaves_the_hour_whole(
    s3_server: S3Server,
) -> None:
    seen = []
    with worker(BUILDS, "by-lines") as builds:
        for nth in count(1):
            bucket = s3_server.new_bucket()
            direct = s3_server.address(bucket)
            publish(direct, TRADES, [trades(OLD_ROWS)], ORIGIN)
            with KillingRelay(s3_server.place, nth) as relay:
                killed = builds.is_killed(s3_server.address(bucket, f"127.0.0.1:{relay.port}"), relay)
            # A file beside the manifest may be left; readers of the manifest do not see it.
            seen.append(read(direct, TRADES).num_rows)
            assert_completed(direct)
            if not killed:
                break
    assert seen == sorted(seen)  # old until the manifest is written, new from then on
    assert seen.count(OLD_ROWS) > 4
    assert seen.count(NEW_ROWS) > 1
