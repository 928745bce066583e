"""The embedded broker starts on a port of its own, keeps what it saved, and is ended by its handle."""

import signal
import socket
import time
from pathlib import Path

import pytest

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.core.process import ProcessError
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker


def test_it_answers_once_it_is_started_and_ends_when_stopped(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker:
        assert Admin(Settings(kafka_brokers=broker.brokers)).topics() == {}
        assert Path(f"/proc/{broker.pid}/exe").readlink().name == "noida-db"
    assert not broker.alive


def test_two_of_them_live_side_by_side(tmp_path: Path) -> None:
    with start_broker(tmp_path / "one") as one, start_broker(tmp_path / "two") as two:
        assert one.brokers != two.brokers


def test_a_taken_port_is_an_error_that_shows_the_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ProcessError, match=rf"(?s)broker relay ended with code 1.*port {port} cannot be listened on"
        ):
            start_broker(tmp_path, port)


def test_a_data_directory_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    with start_broker(tmp_path), pytest.raises(ProcessError, match="already running"):
        start_broker(tmp_path)


def test_what_was_acknowledged_survives_a_clean_stop(tmp_path: Path) -> None:
    for run in range(2):
        with start_broker(tmp_path) as broker:
            settings = Settings(kafka_brokers=broker.brokers)
            Admin(settings).ensure(["kept"])
            with KafkaBus(settings) as bus:
                bus.publish("kept", b"BTC-USDT", b"%d" % run, time.time_ns())
            with Reader(settings) as reader:
                assert [m.value for m in reader.tail("kept", 10)] == [b"%d" % n for n in range(run + 1)]


def test_a_killed_broker_leaves_a_directory_that_starts_again(tmp_path: Path) -> None:
    broker = start_broker(tmp_path)
    assert broker.kill() == -signal.SIGKILL
    with start_broker(tmp_path) as again:
        assert again.alive


def test_a_frozen_broker_can_still_be_stopped(tmp_path: Path) -> None:
    broker = start_broker(tmp_path)
    broker.pause()
    assert broker.stop(grace_seconds=20) == 0
