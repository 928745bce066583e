"""In how many files two changes are made that people ask for: a column of trades, and a kind of event.

Each is made to a copy of the project, which then collects, stores, archives and explains the new thing. The tables of
``docs/architecture.md`` name the files; a change that needs one more fails here, and is a fact that stands twice.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mdplatform.core.settings import Settings

ROOT = Path(__file__).parents[2]

# By file, what is inserted behind which text of it; a new file has no such text.
Change = Mapping[str, Mapping[str, str]]

COLUMN: Change = {
    "mdplatform/core/events.py": {
        "    count: int | None = None  # how many they are\n": "    fee: Number | None = None  # in quote units\n"
    },
    "mdplatform/core/codec.py": {',"count":{e.count}\'\n': "    matches += f',\"fee\":{e.fee}' if e.fee else ''\n"},
    "sql/migrations/9999_fee.sql": {
        "": """\
ALTER TABLE md_trades_store {{cluster}} ADD COLUMN IF NOT EXISTS fee Nullable(Float64) COMMENT 'paid, in quote units';
CREATE OR REPLACE VIEW md_trades {{cluster}} AS
SELECT * FROM md_trades_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
"""
    },
    "sql/streams/trades.sql": {
        "    count             Nullable(UInt32)            COMMENT 'matches that it stands for',\n": (
            "    fee               Nullable(Float64)           COMMENT 'in quote units',\n"
        ),
        "md_trades_store AS\nSELECT\n": "    fee,\n",
        "md_trades_stream AS\nSELECT\n": "    fee,\n",
    },
}

TABLE = """\
CREATE TABLE IF NOT EXISTS md_funding_interval_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id',
    symbol            LowCardinality(String)      COMMENT 'canonical symbol',
    hours             Float64                     COMMENT 'between two payments',
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time',
    venue_time        DateTime64(9, 'UTC')        COMMENT 'venue time',
    received_at       DateTime64(9, 'UTC')        COMMENT 'receive time',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset'
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, venue_time);

CREATE VIEW IF NOT EXISTS md_funding_interval {{cluster}} AS SELECT * FROM md_funding_interval_store FINAL;
"""
STREAM = """\
{{include stream_begin stream=md_funding_interval_stream at=internal rows=rows}}

CREATE TABLE md_funding_interval_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    hours             Float64                     COMMENT 'hours',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_funding_interval_stream_rows {{cluster}} TO md_funding_interval_store AS
SELECT
    exchange, symbol, hours,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_funding_interval_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_funding_interval_stream}}

{{include stream_kafka stream=md_funding_interval_stream at=internal topics=funding_interval}}

CREATE MATERIALIZED VIEW md_funding_interval_stream_kafka_view {{cluster}} TO md_funding_interval_stream AS
SELECT exchange, symbol, hours, ts, venue_ns, {{include stream_judged time_ms=ts}}
FROM
(
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AS sound
    FROM md_funding_interval_stream_kafka
);
"""
KIND: Change = {
    "mdplatform/core/events.py": {
        "Event = (\n    Book\n": "    | FundingInterval\n",
        'State = Literal["valid", "gap", "resync", "stale", "down"]\n': '''

class FundingInterval(msgspec.Struct, frozen=True, gc=False, tag="funding_interval"):
    """How often funding is paid, in hours."""

    exchange: str
    symbol: str
    hours: Number
    venue_ns: int
    received_ns: int
''',
    },
    "mdplatform/core/event_kinds.py": {
        "EVENT_KINDS = (\n": """\
    EventKind(
        "funding_interval",
        events.FundingInterval,
        "funding_interval.{exchange}",
        "funding intervals",
        (Table("md_funding_interval", "how often funding is paid", "funding_interval"),),
        of_contracts=True,
    ),
"""
    },
    "sql/migrations/9999_funding_interval.sql": {"": TABLE},
    "sql/streams/funding_interval.sql": {"": STREAM},
    "mdplatform/venues/bybit/wire.py": {
        "    nextFundingTime: str | None = None  # ms\n": "    fundingIntervalHour: str | None = None\n"
    },
    "mdplatform/venues/bybit/market.py": {
        "from mdplatform.core.events import Side": ", FundingInterval",
        "        interest = self._open(merged, frame.ts * MS, now_ns)\n": """\
        if (hours := frame.data.fundingIntervalHour) is not None:
            interest = [*interest, FundingInterval(self.exchange, self.symbol, hours, frame.ts * MS, now_ns)]
""",
    },
}


def test_a_column_of_trades_is_four_files(streaming: Settings, tmp_path: Path) -> None:
    answer = probed("column", COLUMN, tmp_path, streaming)
    assert answer == {"message": 0.07, "table": 0.07, "archive": [0.07], "proven": True, "dictionary": True}
    assert len(COLUMN) == 4


def test_a_kind_of_event_is_six_files(streaming: Settings, tmp_path: Path) -> None:
    answer = probed("kind", KIND, tmp_path, streaming)
    stored = {"message": 8, "table": 8, "archive": [8], "proven": True, "dictionary": True}
    assert answer == stored | {"normalized": [8]}
    assert len(KIND) == 6


def probed(name: str, change: Change, folder: Path, settings: Settings) -> dict[str, Any]:
    """What the probe finds in a copy of the project with this change."""
    for part in ("mdplatform", "sql"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path, insertions in change.items():
        make(folder / path, insertions)
    given = {field.metadata["variable"]: str(getattr(settings, field.name)) for field in dataclasses.fields(settings)}
    new_topic = {"MDPLATFORM_TOPIC_FUNDING_INTERVAL": settings.topic_funding.replace("funding", "funding_interval")}
    environ = os.environ | given | new_topic | {"PYTHONPATH": str(ROOT)}  # of the tests: the copy comes first, by cwd
    command = [sys.executable, "-m", "mdplatform_tests.warehouse.change_probe", name]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def make(file: Path, insertions: Mapping[str, str]) -> None:
    """Insert each text behind the one place where its key stands; "" is the begin of a new file."""
    text = file.read_text() if file.exists() else ""
    for anchor, inserted in insertions.items():
        assert not anchor or text.count(anchor) == 1, f"{file} has {text.count(anchor)} times {anchor!r}"
        text = text.replace(anchor, anchor + inserted) if anchor else inserted
    file.write_text(text)
