"""``normalize``, ``record`` and ``replay`` as commands."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
from pathlib import Path

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.settings import Settings
from mdplatform.recordings.tape import tape_line
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.collector.rig import simulated
from mdplatform_tests.simulator.tape import generate

START = 1_790_000_000 * SECOND


@pytest.fixture(scope="module")
def tape() -> bytes:
    """Two seconds of two symbols."""
    frames = generate("binance", ["BTC", "ETH"], START, 2.5)
    return b"".join(tape_line(received_ns, frame) for received_ns, frame in frames)


@pytest.fixture(scope="module")
def normalized(tape: bytes) -> bytes:
    return called("normalize", "--venue", "binance", given=tape).stdout


def environment(settings: Settings) -> dict[str, str]:
    return {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}


def test_standard_input_gives_books_and_trades(normalized: bytes) -> None:
    types = [json.loads(line)["type"] for line in normalized.splitlines()]
    assert types.count("book") > 5
    assert types.count("trade") > 5


def test_packed_standard_input_is_unpacked(tape: bytes, normalized: bytes) -> None:
    assert called("normalize", "--venue", "binance", given=gzip.compress(tape)).stdout == normalized


def test_files_are_read_one_after_the_other(tape: bytes, normalized: bytes, tmp_path: Path) -> None:
    lines = tape.splitlines(keepends=True)
    half = len(lines) // 2
    (tmp_path / "1").write_bytes(b"".join(lines[:half]))
    (tmp_path / "2.gz").write_bytes(gzip.compress(b"".join(lines[half:])))
    assert called("normalize", "--venue", "binance", "1", "2.gz", cwd=tmp_path).stdout == normalized


def test_symbols_keep_only_theirs(tape: bytes) -> None:
    answer = called("normalize", "--venue", "binance", "--symbols", "ETH-USDT", given=tape)
    assert {json.loads(line)["symbol"] for line in answer.stdout.splitlines()} == {"ETH-USDT"}


def test_a_summary_is_said_beside_the_events_unless_quiet(tape: bytes) -> None:
    loud, quiet = (called("normalize", "--venue", "binance", *option, given=tape) for option in ([], ["--quiet"]))
    assert f"{len(tape.splitlines())} frames; events: book" in loud.stderr.decode()
    assert quiet.stderr == b""
    assert loud.stdout == quiet.stdout


@pytest.mark.parametrize("command", ["normalize", "replay"])
def test_a_file_that_is_not_there_is_one_line(command: str, kafka_settings: Settings, tmp_path: Path) -> None:
    answer = called(command, "--venue", "binance", "none.gz", cwd=tmp_path, environ=environment(kafka_settings))
    assert refused(answer) == "cannot read tape none.gz: No such file or directory"


def test_a_file_that_is_cut_short_is_one_line(tape: bytes, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(tape)[:-20])
    assert "damaged or cut short" in refused(called("normalize", "--venue", "binance", "cut.gz", cwd=tmp_path))


async def test_a_recording_of_some_seconds_normalizes_to_proven_books(tmp_path: Path) -> None:
    async with simulated() as simulator:
        urls = ["--ws-url", simulator.ws_url("binance"), "--rest-url", simulator.rest_url("binance")]
        options = ["--venue", "binance", "--symbols", "BTC-USDT,ETH-USDT", *urls, "--seconds", "2.5", "tape.gz"]
        answer = await asyncio.to_thread(called, "record", *options, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    normalized = called("normalize", "--venue", "binance", "tape.gz", cwd=tmp_path)
    events = [json.loads(line) for line in normalized.stdout.splitlines()]
    assert {event["symbol"] for event in events if event["type"] == "book"} == {"BTC-USDT", "ETH-USDT"}
    assert not [event for event in events if event["type"] == "dead_letter"]


async def test_a_tape_that_cannot_be_written_ends_the_recording(tmp_path: Path) -> None:
    async with simulated() as simulator:
        urls = ["--ws-url", simulator.ws_url("binance"), "--rest-url", simulator.rest_url("binance")]
        options = ["--venue", "binance", "--symbols", "BTC-USDT", *urls, "--seconds", "20", "/dev/full"]
        answer = await asyncio.to_thread(called, "record", *options, cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.decode().splitlines()[-1] == "mdplatform: cannot write tape /dev/full: No space left on device"


def test_a_tape_in_no_folder_is_one_line(tmp_path: Path) -> None:
    answer = called("record", "--venue", "binance", "--symbols", "BTC-USDT", "no/tape", cwd=tmp_path)
    assert refused(answer) == "cannot write tape no/tape: No such file or directory"


def test_a_replay_says_what_was_delivered(tape: bytes, kafka_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "tape").write_bytes(tape)
    answer = called("replay", "--venue", "binance", "tape", cwd=tmp_path, environ=environment(kafka_settings))
    assert answer.returncode == 0, answer.stderr
    last = answer.stderr.decode().splitlines()[-1]
    assert f"{len(tape.splitlines())} frames; events: book" in last
    assert "messages delivered to" in last
    assert last.endswith(" 0 failed")
