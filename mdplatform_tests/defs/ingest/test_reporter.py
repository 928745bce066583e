"""What an ingest run says of itself over its life: true numbers, a picture that can be drawn, and not much of it."""

import base64
import os
import random
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg
import pytest

from mdplatform.collector.report import Reporter, write_counters
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.chart import Curve, picture
from mdplatform.defs.ingest.history import MOST_READINGS, Reading, RunHistory
from mdplatform.defs.ingest.reporter import CollectorReporter

BEGUN = 1_790_000_000.0
DAY = 24 * 3600
SVG = "{http://www.w3.org/2000/svg}"


def counters(at: float) -> FeedStats:
    """Of a connection that publishes 40 messages a second, and has a gap and a dead letter each hour."""
    age = round(at - BEGUN)
    return FeedStats(
        exchange="binance",
        conn="a",
        ts_ns=round(at * 1e9),
        symbols=1,
        frames=50 * age,
        bytes=9000 * age,
        events=40 * age,
        reconnects=0,
        gaps=age // 3600,
        dead_letters=age // 3600,
        published=40 * age,
        failed=0,
        queue=0,
        paused_ms=0,
        latency_p99_ms=900.0 if age == 7200 else 4.0,
        venue_lag_ms=12.0,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dg.AssetObservation]:
    """All that a run of a day says, looked at every quarter of a minute."""
    report = tmp_path_factory.mktemp("ingest") / "report.json"

    def looks() -> Iterator[dg.AssetObservation | None]:
        reporter = CollectorReporter(Shard("binance", ("BTC-USDT",)), report, os.getpid(), BEGUN)
        for age in range(0, DAY, 15):
            write_counters(report, {"a": counters(BEGUN + age)})
            yield reporter.look(BEGUN + age)

    return [observation for observation in looks() if observation is not None]


def drawing(markdown: str) -> ElementTree.Element:
    """The picture inside of Markdown, parsed."""
    encoded = markdown.rpartition("base64,")[2].removesuffix(")")
    return ElementTree.fromstring(base64.b64decode(encoded))


def caption(svg: ElementTree.Element) -> str:
    return " ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))


def test_a_run_reports_each_minute_at_first_and_little_in_a_day(told: list[dg.AssetObservation]) -> None:
    sizes = [len(dg.serialize_value(observation)) for observation in told]
    assert len(sizes) < 100
    assert sum(sizes) < 450_000


def test_the_picture_of_a_lively_run_is_small() -> None:
    values = random.Random(1)
    curves = [
        [Curve(name, [(at, values.uniform(0, 900)) for at in range(MOST_READINGS)]) for name in "ab"] for _ in "12"
    ]
    assert len(picture(curves, 0, MOST_READINGS)) < 5_000


def test_a_line_keeps_each_bend_and_its_ends() -> None:
    flat_then_up = [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 1.0)]
    paths = [path.get("d") for path in drawing(picture([[Curve("a", flat_then_up)]], 0, 5)).iter(f"{SVG}path")]
    assert paths[1] == "M0 51h384l128 -25l128 25"


def test_a_run_reports_its_pace_lag_gaps_dead_letters_and_memory(told: list[dg.AssetObservation]) -> None:
    last = {name: value.value for name, value in told[-1].metadata.items()}
    assert (last["messages_per_second"], last["delivery_p99_ms"], last["venue_lag_ms"]) == (40.0, 4.0, 12.0)
    assert (last["gaps"], last["dead_letters"]) == (23, 23)
    assert isinstance(last["collector_memory_bytes"], int)


def test_the_picture_shows_the_whole_life_with_its_peak(told: list[dg.AssetObservation]) -> None:
    svg = drawing(str(told[-1].metadata["plot"].value))
    assert "messages to Kafka: 40/s" in caption(svg)
    assert "p99: 4 ms, at most 900 ms" in caption(svg)
    assert "gaps: 23" in caption(svg)
    assert "21 Sep" in caption(svg)


def test_a_collector_without_counters_yet_is_reported_without_a_picture(tmp_path: Path) -> None:
    observation = CollectorReporter(Shard("binance", ("BTC-USDT",)), tmp_path / "none", os.getpid(), BEGUN).look(
        BEGUN + 60
    )
    assert observation is not None
    assert "plot" not in observation.metadata


def test_a_course_is_bounded_and_loses_no_count() -> None:
    history = RunHistory(0, most=10)
    for n in range(1, 1000):
        history.note(Reading(n, gaps=n))
    growths = history.growths("gaps")
    assert len(growths) <= 10
    assert sum(growth or 0 for _, growth in growths) == 999


def test_a_reading_that_comes_twice_counts_once() -> None:
    history = RunHistory(0)
    for _ in range(2):
        history.note(Reading(1, published=5))
    assert history.rates("published") == [(1, 5.0)]


def test_a_curve_without_values_is_said_to_be_unknown() -> None:
    assert "lag: not known" in picture([[Curve("lag", [(1, None)])]], 0, 1)


def test_names_in_a_picture_cannot_break_it() -> None:
    assert "<b>" in caption(drawing(picture([[Curve("<b>", [(1, 1.0)])]], 0, 1)))


def test_a_symbol_that_is_not_collected_is_a_line_once_and_one_when_it_is_again(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    reporter = CollectorReporter(Shard("binance", ("A-USD", "B-USD")), report, os.getpid(), BEGUN)
    counters = Reporter(report, queue_limit=100)
    down = FeedStatus("binance", "B-USD", "book", "down", "not_listed", round(BEGUN) * 10**9)
    counters.note(down)
    (line,) = reporter.news(BEGUN + 10)
    assert "B-USD of binance (book): not_listed since" in line
    assert reporter.news(BEGUN + 20) == []
    counters.note(FeedStatus("binance", "B-USD", "book", "resync", "subscribing", round(BEGUN + 30) * 10**9))
    assert len(reporter.news(BEGUN + 40)) == 1
    assert reporter.news(BEGUN + 50) == []
