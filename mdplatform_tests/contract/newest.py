"""Runs tests on a newer ClickHouse engine than the embedded node's: ``pytest -p mdplatform_tests.contract.newest``.

For an environment that has a newer chdb-core than ours, see `make contract-newest`. Such a library runs everything of
the platform but two things, so that these are done in another way, or skipped with the reason said:

- It makes no Kafka tables. In their place stand Null tables with the columns that a Kafka table has, and what tests
  publish is inserted there: all views of the streams are made and do their work.
- It lets nobody become another user (EXECUTE AS), so there is no reader. What readers ask is asked by the owner, and
  tests of what a reader may not do are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.warehouse import files
from mdplatform.warehouse.client import connect
from mdplatform_tests.warehouse import topics

NO_READER = "needs a user who may only read: this library lets nobody become another user"
NO_KAFKA = "needs a Kafka table: this library makes none"
OTHER_TEXT = "compares a file with what the embedded node's engine writes of its own tables, Kafka's among them"
SKIPPED_FIXTURES = {"reader_url": NO_READER, "clickhouse_reader_url": NO_READER}
SKIPPED_TESTS = {
    "test_consumers_report_what_they_read": NO_KAFKA,
    "test_the_reader_is_who_asks": NO_READER,
    "test_trades_of_three_hundred_days_are_stored_and_hold_nothing_up": NO_KAFKA,
    "test_an_emptied_book_is_the_newest_and_has_no_top": NO_KAFKA,
    "test_the_dictionary_is_up_to_date_and_explains_every_column": OTHER_TEXT,
}
ASKED = "from chdb import session; print(session.Session().query('SELECT version()', 'TSVRaw'), end='')"
IN_PLACE_OF_KAFKA = """\
CREATE TABLE {{{{at}}}}.{{stream}}_kafka {{cluster}}
(
    message           String,
    _topic            LowCardinality(String),
    _partition        UInt64,
    _offset           UInt64,
    _timestamp_ms     Nullable(DateTime64(3, 'UTC'))
)
ENGINE = Null
COMMENT '{{topics_{{topics}}}}';
"""
READS_TOPIC = """
SELECT database, name FROM system.tables
WHERE database IN {both:Array(String)} AND has(splitByChar(',', comment), {topic:String})
"""


class Topics:
    """Topics that are nowhere but in the numbers of their messages."""

    def __init__(self) -> None:
        self._offsets: Counter[tuple[str, str]] = Counter()

    def publish(self, settings: Settings, topic: str, values: Iterable[dict[str, object] | str]) -> None:
        """Insert what a Kafka table of ``topic`` would have read, as one block of one partition."""
        texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
        topic_here = (settings.clickhouse_database, topic)
        first, now = self._offsets[topic_here], datetime.now(UTC)
        self._offsets[topic_here] += len(texts)
        rows = [(text, topic, 0, first + number, now) for number, text in enumerate(texts)]
        with connect(settings) as client:
            known = {"both": [settings.clickhouse_database, settings.internal_database], "topic": topic}
            for database, table in client.query(READS_TOPIC, parameters=known).result_rows:
                client.insert(table, rows, database=database)


def pytest_configure(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp()) / "sql"
    config.add_cleanup(lambda: shutil.rmtree(folder.parent))
    shutil.copytree(files.SQL, folder)
    (folder / "includes" / "stream_kafka.sql").write_text(IN_PLACE_OF_KAFKA)
    files.SQL = folder
    topics.create_topics = lambda settings: None
    topics.publish = Topics().publish
    ClickHouseNode.reader_url = ClickHouseNode.url  # type: ignore[method-assign]


@cache
def engine() -> str:
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    return f"engine: ClickHouse {asked.stdout.strip()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        needs = [reason for name, reason in SKIPPED_FIXTURES.items() if name in getattr(item, "fixturenames", ())]
        needs += [reason for name, reason in SKIPPED_TESTS.items() if item.name == name]
        if needs:
            item.add_marker(pytest.mark.skip(reason=needs[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts, and why tests were skipped."""
    found = terminalreporter.stats
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in found.get("skipped", ()))
    passed, failed = len(found.get("passed", ())), len(found.get("failed", ())) + len(found.get("error", ()))
    terminalreporter.write_line(f"{engine()}: {passed} passed, {failed} failed")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5} skipped: {reason}")
