"""A host's collectors as Prometheus sees them: from the files that they write, and from a running command."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest
from confluent_kafka import Consumer, TopicPartition

from mdplatform.collector import pauses
from mdplatform.collector.lock import ShardLock
from mdplatform.collector.report import Reporter, report_file
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.metrics.collectors import SILENT_S, collector_families
from mdplatform.metrics.measures import exposition
from mdplatform_tests.dashboard.wire import publish
from mdplatform_tests.metrics.scraping import Labels, scraped, values

SHARD = Shard("binance", ("A-USD", "B-USD"))
STATS = FeedStats(
    exchange="binance", conn="c/1", ts_ns=20 * 10**9, symbols=2, frames=7, bytes=700, events=9, reconnects=1, gaps=2,
    dead_letters=3, published=8, failed=1, queue=4, paused_ms=1500, latency_p99_ms=20.0, venue_lag_ms=30.0,
    ignored={"older": 5}, limits_met=6,
)  # fmt: skip
OF_SHARD: Labels = (("shard", SHARD.key), ("venue", "binance"))


def shown(data_dir: Path, *wanted: Shard, now: float | None = None) -> dict[str, dict[Labels, float]]:
    families = collector_families(data_dir, wanted, time.time() if now is None else now)
    found = values(exposition(families).decode())
    return {name.removeprefix("mdplatform_collector_"): of for name, of in found.items()}


def test_a_collector_shows_what_it_reported(tmp_path: Path) -> None:
    reporter = Reporter(report_file(tmp_path, SHARD.key), queue_limit=100)
    reporter(STATS)
    reporter.note(FeedStatus("binance", "B-USD", "book", "down", "not_listed", 1))
    with ShardLock(str(tmp_path), SHARD.key):
        found = shown(tmp_path, SHARD)
    connection = tuple(sorted((*OF_SHARD, ("connection", "c/1"))))
    assert found["up"] == {OF_SHARD: 1}
    totals = {name: found[f"{name}_total"][connection] for name in ("frames", "gaps", "dead_letters", "rate_limited")}
    assert totals == {"frames": 7, "gaps": 2, "dead_letters": 3, "rate_limited": 6}
    assert found["paused_seconds_total"] == {connection: 1.5}
    assert found["venue_lag_seconds"] == {connection: 0.03}
    assert found["ignored_total"] == {tuple(sorted((*connection, ("kind", "older")))): 5}
    assert found["delivery_seconds"] == {tuple(sorted((*OF_SHARD, ("percentile", "99")))): 0.02}
    assert (found["queue_messages"], found["queue_limit_messages"]) == ({OF_SHARD: 4}, {OF_SHARD: 100})
    assert found["uncollected_symbols"] == {tuple(sorted((*OF_SHARD, ("cause", "not_listed")))): 1}
    assert found["resident_memory_bytes"][OF_SHARD] > 10e6


def test_a_collector_whose_heart_stands_still_is_down(tmp_path: Path) -> None:
    with ShardLock(str(tmp_path), SHARD.key):
        later = time.time() + SILENT_S + 1
        assert shown(tmp_path, SHARD, now=later)["up"] == {OF_SHARD: 0}


def test_what_is_configured_and_never_ran_is_down_and_what_is_no_longer_is_not(tmp_path: Path) -> None:
    other = Shard("okx", ("A-USDT",))
    Reporter(report_file(tmp_path, SHARD.key), queue_limit=100)(STATS)
    found = shown(tmp_path, other)
    assert found["up"] == {(("shard", other.key), ("venue", "okx")): 0}
    assert [dict(labels)["venue"] for labels in found["frames_total"]] == ["binance"]


def test_a_file_that_is_none_of_ours_hides_nothing(tmp_path: Path) -> None:
    Reporter(report_file(tmp_path, SHARD.key), queue_limit=100)(STATS)
    report_file(tmp_path, "strange").write_text("not JSON")
    assert list(shown(tmp_path, SHARD)["published_messages_total"].values()) == [8]


@contextmanager
def metrics(settings: Settings, **given: str) -> Iterator[str]:
    """The address of a running `mdplatform metrics`."""
    variables = {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
    command = [sys.executable, "-m", "mdplatform", "metrics", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables, **given}) as ours:
        try:
            assert ours.stdout is not None
            yield ours.stdout.readline().split()[-1]
        finally:
            ours.send_signal(signal.SIGTERM)
            ours.wait(30)


def test_the_command_serves_collectors_and_lags_and_no_foreign_page(kafka_settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path), ingest="binance:A-USD,B-USD")
    Reporter(report_file(tmp_path, SHARD.key), queue_limit=100)(STATS)
    topic, group = f"{settings.topic_books}.read", f"{settings.topic_books}.reader"
    publish(settings.kafka_brokers, (topic, "1"), (topic, "2"), (topic, "3"))
    reader = Consumer({"bootstrap.servers": settings.kafka_brokers, "group.id": group})
    reader.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    reader.close()
    with metrics(settings) as url:
        found = scraped(url)
        assert found["mdplatform_collector_up"] == {OF_SHARD: 0}
        assert found["mdplatform_broker_up"] == {(): 1}
        of_partition = (("group", group), ("partition", "0"), ("topic", topic))
        read = (found["mdplatform_consumer_offset_messages"], found["mdplatform_consumer_lag_messages"])
        assert (read[0][of_partition], read[1][of_partition]) == (1, 2)
        assert found["process_resident_memory_bytes"][()] > 10e6
        pauses.pause(settings.data_dir, pauses.Pause("binance", time.time_ns(), "somebody"))
        found = scraped(url)
        assert found["mdplatform_venue_paused"] == {(("venue", "binance"),): 1}
        assert "mdplatform_collector_up" not in found
        for foreign in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            with pytest.raises(HTTPError, match="403"):
                scraped(url, foreign)


def test_a_broker_that_is_away_is_said_and_hides_no_collector(tmp_path: Path) -> None:
    Reporter(report_file(tmp_path, SHARD.key), queue_limit=100)(STATS)
    nowhere = Settings(kafka_brokers="127.0.0.1:1", data_dir=str(tmp_path))
    with metrics(nowhere) as url:
        found = scraped(url)
    assert found["mdplatform_broker_up"] == {(): 0}
    assert len(found["mdplatform_collector_frames_total"]) == 1
