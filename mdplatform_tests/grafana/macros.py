"""What grafana-clickhouse-datasource and Grafana put in the place of macros and variables in a panel's SQL.

Source: the plugin's own list of macros, version 4.20 (its query editor's documentation and pkg/macros); of variables
the form ${name:singlequote}, which Grafana writes as quoted values with commas between.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

_CALL = re.compile(r"\$__(timeFilter|dateFilter|timeInterval)\(")
_WORD = re.compile(r"\$__(fromTime_ms|toTime_ms|fromTime|toTime|interval_s)\b")
_VARIABLE = re.compile(r"\$\{(\w+):singlequote\}")


@dataclass(frozen=True)
class Shown:
    """The time that a dashboard shows, aware; the seconds of a point; the chosen values of each variable."""

    begins: datetime
    ends: datetime
    interval_s: int
    chosen: Mapping[str, Sequence[str]]

    def expand(self, sql: str) -> str:
        """What ClickHouse is asked; raises ValueError where something is left that nobody expands."""
        while call := _CALL.search(sql):
            end = _closing(sql, call.end())
            sql = sql[: call.start()] + self._call(call[1], sql[call.end() : end]) + sql[end + 1 :]
        sql = _WORD.sub(lambda word: self._word(word[1]), sql)
        sql = _VARIABLE.sub(lambda name: ",".join(f"'{value}'" for value in self.chosen[name[1]]), sql)
        if "$" in sql:
            raise ValueError(f"not expanded: {sql[sql.index('$') :][:40]}")
        return sql

    def _call(self, name: str, column: str) -> str:
        if name == "timeInterval":
            return f"toStartOfInterval(toDateTime({column}), INTERVAL {self.interval_s} second)"
        if name == "dateFilter":
            return f"{column} >= toDate('{self.begins:%Y-%m-%d}') AND {column} <= toDate('{self.ends:%Y-%m-%d}')"
        return f"{column} >= {self._word('fromTime')} AND {column} <= {self._word('toTime')}"

    def _word(self, name: str) -> str:
        if name == "interval_s":
            return str(self.interval_s)
        at = int((self.begins if name.startswith("from") else self.ends).timestamp())
        return f"fromUnixTimestamp64Milli({at * 1000})" if name.endswith("_ms") else f"toDateTime({at})"


def _closing(sql: str, start: int) -> int:
    """Where the parenthesis that was opened before ``start`` is closed."""
    depth = 1
    for at in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        if depth == 0:
            return at
    raise ValueError(f"not closed: {sql[start:][:40]}")
