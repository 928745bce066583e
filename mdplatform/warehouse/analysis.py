"""The questions of ``sql/analysis``: one a file, asked by name. The comment at its head says what it answers.

Its first line is the title. A line ``-- {name} = default: meaning`` documents a parameter; ``start`` and ``end``, where
a question has them, are the last hour unless they are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mdplatform.core.errors import ConfigError
from mdplatform.warehouse.files import sql_files, sql_text

_USED = re.compile(r"\{(\w+):([^{}]+)\}")
_STATED = re.compile(r"^-- \{(\w+)\} = (.*?): (.*)$", re.MULTILINE)
LAST = timedelta(hours=1)


@dataclass(frozen=True)
class Parameter:
    kind: str  # ClickHouse's name of its type
    default: str
    meaning: str


@dataclass(frozen=True)
class Analysis:
    """A question with its parameters by name."""

    name: str
    title: str
    sql: str
    parameters: Mapping[str, Parameter]

    def bound(self, given: Mapping[str, Any], now: datetime) -> dict[str, str]:
        """A value for each parameter, as ClickHouse reads it; raises ConfigError for one that it does not have."""
        if strange := sorted(set(given) - set(self.parameters)):
            raise ConfigError(f"{self.name} takes {', '.join(self.parameters)}; not {', '.join(strange)}")
        values = {"end": now, "start": now - LAST, **given}
        if "end" in given and "start" not in given:
            values["start"] = _time("end", given["end"]) - LAST
        return {
            name: _text(name, parameter, values.get(name, parameter.default))
            for name, parameter in self.parameters.items()
        }


def analyses() -> dict[str, Analysis]:
    """All of them by name; raises ConfigError for a file that does not say what a parameter is."""
    return {path.stem: _read(path) for path in sql_files("analysis")}


def analysis(name: str) -> Analysis:
    """Raises ConfigError naming those that exist."""
    known = analyses()
    if name not in known:
        raise ConfigError(f"no query is named {name!r}; there are {', '.join(known)}")
    return known[name]


def _read(path: Path) -> Analysis:
    text = sql_text(path)
    kinds = dict(_USED.findall(text))
    stated = {name: (default, meaning) for name, default, meaning in _STATED.findall(text)}
    if set(stated) != set(kinds):
        raise ConfigError(f"{path.name} states {', '.join(stated)} and uses {', '.join(kinds)}")
    parameters = {name: Parameter(kinds[name], *stated[name]) for name in stated}
    return Analysis(path.stem, text.partition("\n")[0].removeprefix("-- "), text, parameters)


def utc_text(name: str, value: Any) -> str:
    """A time as ClickHouse reads it for a parameter in UTC; raises ConfigError for what is no time, or in no zone."""
    at = _time(name, value).astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S.%f}" if at.microsecond else f"{at:%Y-%m-%d %H:%M:%S}"


def _text(name: str, parameter: Parameter, value: Any) -> str:
    return utc_text(name, value) if parameter.kind.startswith("DateTime") else str(value)


def _time(name: str, value: Any) -> datetime:
    """Text without a time zone is UTC, as all that we print; a datetime without one could be anything."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ConfigError(f"{name} must be a time like 2026-11-21T10:30, not {value!r}") from None
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ConfigError(f"{name} must be a datetime with a time zone, not {value!r}")
    return value
