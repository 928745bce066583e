"""The project's shape: who imports whom, and what a light process does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mdplatform_tests import import_graph

ROOT = Path(__file__).parents[1]
HEAVY = ("dagster", "pandas", "pyarrow", "chdb")


def test_import_contracts_hold() -> None:
    outcome = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout


def test_no_rooms_import_each_other() -> None:
    assert import_graph.circles(import_graph.room_graph(import_graph.module_graph())) == []


def test_core_loads_nothing_but_msgspec() -> None:
    loaded = _loaded_by(
        "import mdplatform.core.codec, mdplatform.venuekit.books.order_book, mdplatform.core.topics, mdplatform.venues"
    )
    assert not loaded & {"asyncio", "socket", "websockets", "aiohttp", "confluent_kafka", *HEAVY}


def test_a_collector_process_loads_neither_dagster_nor_pandas() -> None:
    assert not _loaded_by("import mdplatform.collector, mdplatform.collector.report, mdplatform.cli.feeds") & set(HEAVY)


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())
