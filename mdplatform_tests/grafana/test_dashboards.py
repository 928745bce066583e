"""Every panel, variable and annotation of Grafana's dashboards asks the real engine, as the user who may only read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import QueryResult

from deploy.grafana.build import built
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform_tests.grafana.macros import Shown
from mdplatform_tests.grafana.rows import ENDS, SYMBOL, VENUES, put_everything
from mdplatform_tests.warehouse.rows import HOUR

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
SHOWN = Shown(HOUR, ENDS, 15, {"exchange": VENUES, "symbol": (SYMBOL,)})
NO_ROWS_HERE = {"Kafka tables"}  # nothing is read from a broker here
TIME = re.compile(r"DateTime")
NUMBER = re.compile(r"(Nullable\()?U?(Int|Float)\d+")
TEXT = re.compile(r"(LowCardinality\()?(Nullable\()?String")


def each(part: str) -> list[Any]:
    """Test parameters: all panels with SQL, or all variables, or all annotations."""
    found = []
    for name, model in DASHBOARDS.items():
        parts = model["panels"] if part == "panels" else model[part]["list"]
        found += [pytest.param(one, id=f"{name}: {one.get('title') or one['name']}") for one in parts]
    return [parameter for parameter in found if parameter.values[0].get("type") != "row"]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Whom Grafana logs in as, on a node whose tables hold an hour of everything."""
    with start(tmp_path_factory.mktemp("grafana"), password="all", reader_password="read") as node:
        migrate(Settings(clickhouse_url=node.url), streams=False)
        with connect(Settings(clickhouse_url=node.url)) as client:
            put_everything(client)
        with connect(Settings(clickhouse_url=node.reader_url)) as client:
            yield client


def asked(reader: Client, sql: str) -> tuple[dict[str, str], QueryResult]:
    """Types by column, and the result."""
    expanded = SHOWN.expand(sql)
    columns = {name: kind for name, kind, *_ in reader.query(f"DESCRIBE ({expanded})").result_rows}
    return columns, reader.query(expanded)


def numbers(columns: dict[str, str]) -> list[str]:
    return [name for name, kind in columns.items() if NUMBER.match(kind)]


def texts(columns: dict[str, str]) -> list[str]:
    return [name for name, kind in columns.items() if TEXT.match(kind)]


@pytest.mark.parametrize("panel", each("panels"))
def test_a_panel_gets_the_columns_that_its_kind_needs(reader: Client, panel: dict[str, Any]) -> None:
    (target,) = panel["targets"]
    columns, result = asked(reader, target["rawSql"])
    assert result.row_count or panel["title"] in NO_ROWS_HERE
    SUITS[panel["type"]](columns, result)
    labels = re.findall(r"__field\.labels\.(\w+)", panel["fieldConfig"]["defaults"].get("displayName", ""))
    assert set(labels) <= set(texts(columns))
    assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= set(columns)


def suits_time_series(columns: dict[str, str], result: QueryResult) -> None:
    """The plugin makes lines of a time, texts that become labels, and numbers; rows in the order of time."""
    first, *_ = columns
    assert first == "time"
    assert TIME.match(columns["time"])
    assert numbers(columns)
    assert len(columns) == 1 + len(texts(columns)) + len(numbers(columns))
    times = [row[0] for row in result.result_rows]
    assert times == sorted(times)


def suits_candlestick(columns: dict[str, str], result: QueryResult) -> None:
    assert list(columns) == ["time", "open", "high", "low", "close", "volume"]
    suits_time_series(columns, result)
    assert all(
        low <= opened <= high and low <= closed <= high for _, opened, high, low, closed, _ in result.result_rows
    )


def suits_stat(columns: dict[str, str], result: QueryResult) -> None:
    assert len(columns) == len(numbers(columns)) == result.row_count == 1


def suits_bar_gauge(columns: dict[str, str], result: QueryResult) -> None:
    assert (len(texts(columns)), len(numbers(columns))) == (1, 1)


def suits_table(columns: dict[str, str], result: QueryResult) -> None:
    """What the plugin shows as cells: no lists, no maps."""
    assert all(TIME.search(kind) or NUMBER.match(kind) or TEXT.match(kind) for kind in columns.values())


SUITS = {
    "timeseries": suits_time_series,
    "candlestick": suits_candlestick,
    "stat": suits_stat,
    "bargauge": suits_bar_gauge,
    "table": suits_table,
}


@pytest.mark.parametrize("variable", each("templating"))
def test_a_variable_offers_its_values(reader: Client, variable: dict[str, Any]) -> None:
    columns, result = asked(reader, variable["query"])
    assert len(columns) == len(texts(columns)) == 1
    wanted = SHOWN.chosen[variable["name"]]
    assert set(wanted) <= {value for (value,) in result.result_rows}


@pytest.mark.parametrize("annotation", each("annotations"))
def test_an_annotation_has_a_time_and_a_text(reader: Client, annotation: dict[str, Any]) -> None:
    columns, result = asked(reader, annotation["target"]["rawSql"])
    assert result.row_count
    assert all(TIME.search(columns[name]) for name in ("time", "timeEnd") if name in columns)
    assert {"time", "text"} <= set(columns)
    assert TEXT.match(columns["text"])


def test_the_dashboards_are_those_that_the_sources_make() -> None:
    assert {path: path.read_text() for path in (GRAFANA / "dashboards").iterdir()} == built()


@pytest.mark.parametrize("name", DASHBOARDS)
def test_what_a_dashboard_refers_to_is_there(name: str) -> None:
    model = DASHBOARDS[name]
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    parts = [*model["panels"], *model["templating"]["list"], *model["annotations"]["list"]]
    uids = {part["datasource"]["uid"] for part in parts if part.get("type") != "row"}
    assert uids == {source["uid"]}
    variables = {variable["name"] for variable in model["templating"]["list"]}
    assert set(re.findall(r"\$\{(\w+)[:}]", json.dumps(model["panels"]))) - {"__field"} <= variables
    assert {panel["repeat"] for panel in model["panels"] if "repeat" in panel} <= variables


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_their_own_number_and_place(name: str) -> None:
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
