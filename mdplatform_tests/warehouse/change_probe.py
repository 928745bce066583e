"""Run in a copy of the project that was changed (see test_places_of_a_change): does the new thing reach every place?

``python -m mdplatform_tests.warehouse.change_probe column|kind``, in an environment that names a new database and new
topics, prints the answers as one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.archive.checksum import checksum
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.parquet import fitted
from mdplatform.archive.statements import export, fingerprint
from mdplatform.core import events
from mdplatform.core.codec import encode
from mdplatform.core.event_kinds import KIND_OF
from mdplatform.core.settings import Settings, load
from mdplatform.recordings.normalize import normalize
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.dictionary import columns, described
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.rows import HOUR, after
from mdplatform_tests.warehouse.topics import create_topics, publish, shows

FRAMES = Path(__file__).parents[1] / "frames" / "bybit" / "funding_from_partial_tickers.frames.jsonl"


def column(settings: Settings) -> dict[str, Any]:
    """A trade with a fee: on its way, in the table, in the archive, proven, explained."""
    trade: Any = events.Trade
    made = trade("binance", "BTC-USDT", "1", "64000.1", "2", "buy", after(1), after(2), fee="0.07")
    return _stored(settings, made, "fee")


def kind(settings: Settings) -> dict[str, Any]:
    """Funding intervals, as a venue states them: the same places, and the venue's frames."""
    made: Any = vars(events)["FundingInterval"]  # only the changed copy has it
    found = _stored(settings, made("bybit", "BTC-USDT-PERP", "8", after(1), after(2)), "hours")
    lines = [json.loads(line) for line in normalize("bybit", FRAMES.read_bytes().splitlines())]
    return found | {"normalized": [line["hours"] for line in lines if line["type"] == "funding_interval"]}


def _stored(settings: Settings, event: Any, name: str) -> dict[str, Any]:
    """What each place says of the field ``name`` of the event once its message was read by the table's stream."""
    of = KIND_OF[type(event)]
    (table,) = of.tables
    create_topics(settings)
    migrate(settings)
    message = encode(event)[1].decode()
    publish(settings, getattr(settings, f"topic_{of.name}").replace("{exchange}", event.exchange), [message])
    with connect(settings) as client:
        shows(client, f"SELECT count() FROM {table.name}", [(1,)])
        (row,) = client.query(f"SELECT {name} FROM {table.name}").result_rows
        return {
            "message": json.loads(message)[name],
            "table": row[0],
            **_archived(client, str(table.dataset), event.exchange, name),
            "dictionary": f"| `{name}` |" in described(columns(client)).partition("# Behind the views")[0],
        }


def _archived(client: Client, dataset: str, exchange: str, name: str) -> dict[str, Any]:
    schema = DATASETS[dataset].schema
    batches = [*fitted(schema, stream(client, export(dataset), exchange=exchange, hour=HOUR))]
    (proof,) = run(client, fingerprint(dataset), hour=HOUR)
    ours = sum(checksum(batch, DATASETS[dataset]) for batch in batches) % 2**64
    return {
        "archive": pa.Table.from_batches(batches, schema)[name].to_pylist(),
        "proven": ours == proof["checksum"] and name in DATASETS[dataset].checked,
    }


if __name__ == "__main__":
    probe = {"column": column, "kind": kind}[sys.argv[1]]
    print(json.dumps(probe(load(os.environ))))
