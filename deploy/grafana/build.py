"""Makes Grafana's dashboards (dashboards/*.json) of what is written for people (sources/*.yaml): python build.py

A source names a dashboard's variables, annotations and rows of panels, each with its SQL. Rows share the width; a panel
may say `width` (of 24), `unit`, `decimals`, `min`, `max`, `series` (the name of a line), `draw` (lines, bars, points),
`stacked`, `steps` ([from, color], ...), `columns` (field options of single columns) and `repeat` (a variable).
What Grafana reads is the model that Grafana 12 saves, queries as grafana-clickhouse-datasource 4 saves them.
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}
SCHEMA_VERSION = 41
WIDTH = 24
TIME_SERIES, TABLE = 0, 1  # formats of the plugin
Json = dict[str, Any]

LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
OPTIONS: dict[str, Json] = {
    "timeseries": {"legend": LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "candlestick": {
        "mode": "candles+volume",
        "candleStyle": "candles",
        "colorStrategy": "open-close",
        "colors": {"up": "green", "down": "red"},
        "fields": {name: name for name in ("open", "high", "low", "close", "volume")},
        "includeAllFields": False,
        "legend": LEGEND,
    },
    "stat": {"colorMode": "value", "graphMode": "none", "textMode": "auto", "reduceOptions": LAST},
    "bargauge": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "color",
        "reduceOptions": {**LAST, "values": True},
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
}
DRAWN: dict[str, Json] = {
    "lines": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": False},
    "bars": {"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 60, "showPoints": "never"},
    "points": {"drawStyle": "points", "pointSize": 6, "showPoints": "always"},
}


def dashboard(source: Json) -> Json:
    """The model of one dashboard."""
    return {
        "uid": source["uid"],
        "title": source["title"],
        "description": source["about"],
        "tags": ["mdplatform"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,  # one crosshair over all panels
        "timezone": "utc",
        "time": {"from": source["range"], "to": "now"},
        "refresh": source["refresh"],
        "links": [{"type": "dashboards", "title": "mdplatform", "tags": ["mdplatform"], "asDropdown": True}],
        "templating": {"list": [_variable(given) for given in source.get("variables", [])]},
        "annotations": {"list": [_annotation(given) for given in source.get("annotations", [])]},
        "panels": _panels(source["rows"]),
    }


def _variable(given: Json) -> Json:
    several = given.get("several", False)
    return {
        "type": "query",
        "name": given["name"],
        "label": given["label"],
        "datasource": SOURCE,
        "query": given["sql"],
        "definition": given["sql"],
        "refresh": 1,  # when the dashboard is opened
        "multi": several,
        "includeAll": several,
        "current": {"text": ["All"], "value": ["$__all"]} if several else {},
    }


def _annotation(given: Json) -> Json:
    return {
        "name": given["name"],
        "datasource": SOURCE,
        "enable": True,
        "iconColor": given["color"],
        "target": _target(given["sql"], TABLE),
    }


def _panels(rows: list[Json]) -> list[Json]:
    """Each row's title, then its panels side by side."""
    made: list[Json] = []
    numbers, y = count(1), 0
    for row in rows:
        made.append({"type": "row", "id": next(numbers), "title": row["title"], "gridPos": _place(0, y, WIDTH, 1)})
        x, y = 0, y + 1
        height = row.get("height", 8)
        for given in row["panels"]:
            width = given.get("width", WIDTH // len(row["panels"]))
            made.append({"id": next(numbers), "gridPos": _place(x, y, width, height), **_panel(given)})
            x += width
        y += height
    return made


def _place(x: int, y: int, width: int, height: int) -> Json:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(given: Json) -> Json:
    kind = given["type"]
    panel: Json = {
        "type": kind,
        "title": given["title"],
        "description": given.get("about", ""),
        "datasource": SOURCE,
        "targets": [_target(given["sql"], TIME_SERIES if kind == "timeseries" else TABLE)],
        "fieldConfig": {"defaults": _field(given), "overrides": _overrides(given)},
        "options": OPTIONS[kind],
    }
    if "repeat" in given:
        panel |= {"repeat": given["repeat"], "repeatDirection": "h", "maxPerRow": 3}
    return panel


def _target(sql: str, form: int) -> Json:
    kind = {TIME_SERIES: "timeseries", TABLE: "table"}[form]
    return {
        "refId": "A",
        "datasource": SOURCE,
        "editorType": "sql",
        "format": form,
        "queryType": kind,
        "rawSql": sql.strip(),
    }


def _field(given: Json) -> Json:
    field = _options(given)
    field["color"] = {"mode": "thresholds" if "steps" in given else "palette-classic"}
    if "series" in given:
        field["displayName"] = given["series"]
    if given["type"] == "timeseries":
        stacking = {"mode": "normal" if given.get("stacked") else "none", "group": "A"}
        field["custom"] = {**DRAWN[given.get("draw", "lines")], "stacking": stacking}
    if given["type"] == "table":
        field["custom"] = {"filterable": True}
    return field


def _options(given: Json) -> Json:
    """What panels and single columns have in common; Grafana's first step has no number."""
    field: Json = {name: given[name] for name in ("unit", "decimals", "min", "max") if name in given}
    if "steps" in given:
        steps = [{"value": at if number else None, "color": color} for number, (at, color) in enumerate(given["steps"])]
        field["thresholds"] = {"mode": "absolute", "steps": steps}
    return field


def _overrides(given: Json) -> list[Json]:
    found = []
    for name, options in given.get("columns", {}).items():
        properties = [{"id": key, "value": value} for key, value in _options(options).items()]
        if "steps" in options:
            properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
        found.append({"matcher": {"id": "byName", "options": name}, "properties": properties})
    return found


def built() -> dict[Path, str]:
    """The text of each file in dashboards/."""
    sources = sorted((HERE / "sources").glob("*.yaml"))
    return {
        HERE / "dashboards" / f"{path.stem}.json": json.dumps(dashboard(yaml.safe_load(path.read_text())), indent=2)
        + "\n"
        for path in sources
    }


if __name__ == "__main__":
    for path, text in built().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
