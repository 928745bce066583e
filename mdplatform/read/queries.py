"""Questions in SQL, answered as pandas frames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mdplatform.core.environment import environment
from mdplatform.core.optional import needed
from mdplatform.core.settings import Settings, load
from mdplatform.warehouse.analysis import analysis, utc_text
from mdplatform.warehouse.client import connect_reader, warehouse_errors

if TYPE_CHECKING:
    import pandas as pd


def query(name: str, settings: Settings | None = None, /, **parameters: Any) -> pd.DataFrame:
    """The answer of ``sql/analysis/<name>.sql``; what is not given has its default. See `mdplatform query --list`.

    Raises ConfigError, WarehouseError.
    """
    asked = analysis(name)
    return sql(asked.sql, settings, **asked.bound(parameters, datetime.now(UTC)))


def drawn(frame: pd.DataFrame, width: int = 100) -> str:
    """The frame as a picture made of text, as `mdplatform query --format plot` shows it. Raises ConfigError."""
    from mdplatform.read.plot import picture

    columns = {name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns}
    return picture(columns, width, coloured=False)


def sql(text: str, settings: Settings | None = None, /, **parameters: Any) -> pd.DataFrame:
    """The answer of one statement with ``{name:Type}`` parameters, asked as a user who may only read; times in UTC.

    Raises ConfigError for a parameter that is a time without a zone, and WarehouseError.
    """
    given = {
        name: utc_text(name, value) if isinstance(value, datetime) else value for name, value in parameters.items()
    }
    needed("pandas")  # of which the driver makes the frame
    settings = settings or load(environment())
    with (
        connect_reader(settings, settings.clickhouse_database) as client,
        warehouse_errors(client.uri, "run the query"),
    ):
        return client.query_df(text, parameters=given, tz_mode="aware")
