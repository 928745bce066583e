"""ClickHouse's own drivers for Java, Go and Node, each as it is set up by default: `make drivers`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from mdplatform_tests.contract.clickhouse.asking import ask

DRIVERS = Path(__file__).with_name("drivers")
# How many rows, their sum and how many lack a value, as each program prints them; then the sum of many rows read.
ROWS, MANY, ERROR = "1000 499500 500", "44999850000", "an error as it is"

pytestmark = [pytest.mark.drivers, pytest.mark.timeout(900)]


def fetched(*command: str, at: Path) -> None:
    """What a driver is made of, by its own package client; skips where that is not reached."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}, which is not on the PATH")
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} cannot fetch the driver: {(done.stderr or done.stdout)[-300:]}")


def said(url: str, command: Sequence[str], at: Path, *more: str) -> list[str]:
    """The lines of a program that is given address, user and password."""
    address = urlsplit(url)
    login = [
        f"{address.hostname}:{address.port}",
        unquote(address.username or "default"),
        unquote(address.password or ""),
    ]
    done = subprocess.run([*command, *login, *more], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_jdbc_driver(url: str, tmp_path: Path) -> None:
    shutil.copytree(DRIVERS / "jdbc", tmp_path, dirs_exist_ok=True)
    fetched("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars", at=tmp_path)
    ask(url, "DROP TABLE IF EXISTS of_jdbc")
    name, columns, table, rows, many, error = said(url, ["java", "-cp", "jars/*", "Driven.java"], tmp_path)
    assert (name.split()[0], table) == ("ClickHouse", "of_jdbc")
    assert columns.startswith("n:UInt32 price:Float64 name:String at:DateTime64(3, 'UTC') gone:Nullable(Int64)")
    assert (rows.startswith(ROWS), many, error) == (True, MANY, ERROR)
    ask(url, "DROP TABLE of_jdbc")


def test_the_go_driver_with_each_compression(url: str, tmp_path: Path) -> None:
    shutil.copytree(DRIVERS / "go", tmp_path, dirs_exist_ok=True)
    fetched("go", "mod", "download", at=tmp_path)
    subprocess.run(["go", "build", "-o", "driven", "."], cwd=tmp_path, check=True)
    for method in ("lz4", "zstd", "gzip", "none"):
        rows, many, error = said(url, ["./driven"], tmp_path, method)
        assert (rows, many, error) == (f"{ROWS} 2023-11-14T22:13:20Z [1.5 2]", MANY, ERROR), method
    ask(url, "DROP TABLE of_go")


def test_the_node_driver(url: str, tmp_path: Path) -> None:
    shutil.copytree(DRIVERS / "node", tmp_path, dirs_exist_ok=True)
    fetched("npm", "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund", at=tmp_path)
    ask(url, "DROP TABLE IF EXISTS of_node")
    assert said(url, ["node", "driven.mjs"], tmp_path) == [ROWS, MANY, ERROR]
    ask(url, "DROP TABLE of_node")
