"""What comes from outside (a venue's list, a setting, an option, an address) is data, never SQL and never a path."""

from __future__ import annotations

import dataclasses
import http.client
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import click
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.archive import manifest as manifests
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import FileEntry, Manifest, Origin
from mdplatform.cli import cli
from mdplatform.core.errors import ArchiveError, ConfigError, MdplatformError
from mdplatform.core.settings import Settings, load
from mdplatform.dashboard.history import History
from mdplatform.recordings.normalize import normalize
from mdplatform.warehouse.files import sql_files, statements
from mdplatform.warehouse.render import placeholders, render
from mdplatform_tests.dashboard.wire import serving
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_trades

HOSTILE = (
    "BTC'-USDT",
    'BTC"-USDT',
    "'; DROP TABLE md_trades_store; --",
    "') OR 1=1 --",
    "../../../etc/passwd",
    "a%00b%2e%2e%2f",
    "nul\0byte",
    "line\nbreak\ttab\rreturn",
    "back\\slash\\'",
    "{symbol:String}",
    "{{cluster}} {0} %s %n",
    "<script>alert(1)</script>",
    "$(id) `id` ; id",
    "日本-ÜSDT\u202e",
    "\\N",
)
INJECTED = "x'; DROP DATABASE default; --"
NOBODY = {"kafka_brokers": "127.0.0.1:1", "clickhouse_url": "http://127.0.0.1:1"}


def test_a_symbol_is_found_by_its_own_name_and_by_no_other(warehouse: Client, empty: Settings) -> None:
    for name in HOSTILE:
        put_books(warehouse, {"at": after(60), "sequence": 1, "symbol": name})
        put_trades(warehouse, {"at": after(60), "id": name, "symbol": name})
    history = History(empty)
    history.start()
    try:
        found = {name: history.feed("binance", name, 5, 5, (after(120) + LAG_NS) // 1_000_000) for name in HOSTILE}
    finally:
        history.stop()
    assert [name for name, feed in found.items() if len(feed["points"]["at_ms"]) != 1] == []
    assert {name: [row["id"] for row in feed["prints"]] for name, feed in found.items()} == {
        name: [name] for name in HOSTILE
    }
    one_hour = {"start": HOUR, "end": HOUR + timedelta(hours=1), "settings": empty}
    for wanted in (HOSTILE, HOSTILE[:1]):
        assert sorted(read.table("trades", symbols=wanted, **one_hour)["symbol"].to_pylist()) == sorted(wanted)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_from_a_venues_list_is_one_json_string_in_a_message(name: str) -> None:
    listed = {"symbol": "X", "status": "TRADING", "baseAsset": name, "quoteAsset": "USDT", "filters": []}
    trade = {"e": "trade", "E": 1700000000000, "s": "X", "t": 7, "p": "1.5", "q": "2", "T": 1700000000000, "m": True}
    frames = [{"symbols": [listed]}, {"stream": "x@trade", "data": trade}]
    lines = [b"1700000000000 " + json.dumps(frame).encode() for frame in frames]
    trades = [found for line in normalize("binance", lines) if (found := json.loads(line))["type"] == "trade"]
    assert [found["symbol"] for found in trades] == [f"{name}-USDT"]


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Settings) if isinstance(f.default, str)])
def test_a_setting_never_becomes_sql(field: str) -> None:
    try:
        values = placeholders(load({} | {variable(field): INJECTED}))
    except ConfigError:
        return
    texts = [render(path.read_text(), values) for folder in ("migrations", "streams") for path in sql_files(folder)]
    assert [text for text in texts for statement in statements(text) if "DROP DATABASE" in statement] == []


def variable(field: str) -> str:
    return str(next(f.metadata["variable"] for f in dataclasses.fields(Settings) if f.name == field))


@pytest.mark.parametrize(
    "arguments",
    [
        ["normalize", "--venue", "../../venues/binance", "-"],
        ["normalize", "--venue", "binance;id", "-"],
        ["collect", "--venue", "binance", "--symbols", INJECTED, "--channels", "../x"],
        ["collect", "--venue", "binance", "--symbols", "BTC-USDT", "--ws-url", "file:///etc/passwd"],
        ["restore", "--dataset", "../../etc", "--archive", "ARCHIVE"],
        ["restore", "--exchange", "x/../../y", "--archive", "ARCHIVE"],
        ["verify", "--dataset", INJECTED, "--archive", "ARCHIVE"],
        ["up", "--only", INJECTED],
    ],
)
def test_a_hostile_option_is_refused_in_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MDPLATFORM_DATA_DIR", str(tmp_path / "data"))
    for name, value in NOBODY.items():
        monkeypatch.setenv(variable(name), value)
    given = [str(tmp_path / "archive") if argument == "ARCHIVE" else argument for argument in arguments]
    with pytest.raises((MdplatformError, click.ClickException)) as refused:
        cli.main(given, standalone_mode=False)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../part-0000.parquet", "/etc/passwd", "a/b", "..", ".", "", "nul\0", "back\\slash"])
def test_a_manifest_names_only_files_beside_it(name: str, tmp_path: Path) -> None:
    partition = Partition("trades", "binance", HOUR)
    written = Manifest(
        partition=partition.path,
        rows=1,
        bytes=1,
        schema_sha256="",
        files=[FileEntry(name, 1, 1, "")],
        symbols=[],
        origin=Origin(query="", code_version=""),
    )
    path = tmp_path / partition.manifest
    path.parent.mkdir(parents=True)
    path.write_bytes(manifests.encode(written))
    with pytest.raises(ArchiveError, match="is no file beside it"):
        manifests.read(tmp_path, partition)


def test_the_page_gives_its_own_files_alone_and_never_fails() -> None:
    escapes = ["/../app.py", "/..%2fapp.py", "/%2e%2e/app.py", "/..\\app.py", "//etc/passwd", "/%2fetc%2fpasswd"]
    broken = ["/%00", "/index.html%00.js", "/%ff%fe", "/" + "a" * 5000, "/%zz", "/vendor", "/healthz/../../x"]
    with serving(Settings(**NOBODY)) as url:
        for path in escapes + broken:
            assert status_of(url, path) in (400, 404, 405, 307), path
        for minutes in ("²", "٣", "1e1", "-1", "9" * 5000, "%00", " 5"):
            assert status_of(url, f"/history?feed=a/b&minutes={quote(minutes)}") == 400, minutes
        for name in HOSTILE:
            assert status_of(url, f"/history?feed=binance/{quote(name)}&minutes=5") == 503, name


def status_of(url: str, path: str) -> int:
    """Of a GET that is sent as it is written here."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()
