"""The project's shape: who imports whom, and what a light process does not load."""

from __future__ import annotations

import re
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


def test_files_that_the_architecture_page_names_are_there() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    listed = re.findall(r"`([\w./]+)/\{([\w./,]+)\}`", page)
    named = {text for text in re.findall(r"`([\w./]+)`", page) if "/" in text}
    named |= {f"{room}/{name}.py" for room, names in listed for name in names.split(",")}
    missing = [name for name in named if not any((ROOT / place / name).exists() for place in ("", "mdplatform"))]
    assert len(named) > 40
    assert missing == []


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    assert [room.name for room in import_graph.rooms() if not re.search(rf"`{room.name}/?`", page)] == []


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
