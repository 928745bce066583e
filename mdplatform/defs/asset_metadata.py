"""What assets say of themselves: owners, links to code and SQL, columns, and the messages behind an hour."""

import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries
from mdplatform.warehouse.files import SQL

OWNERS = ["team:market-data"]


def written_in(*files: str) -> dict[str, Any]:
    """Metadata that links an asset to files: of this room (``hours/rollups.py``) or of sql/."""
    places = [SQL / name if name.endswith(".sql") else Path(__file__).parent / name for name in files]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # such links are new in Dagster 1.13
        references: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
            dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name) for path in places
        ]
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}


def table_schema(client: Client, table: str) -> dg.TableSchema:
    """The columns of a warehouse table with types and comments."""
    rows = queries.run(client, "table_columns", table=table)
    return dg.TableSchema([dg.TableColumn(r["name"], r["type"], r["comment"] or None) for r in rows])


def messages_of(client: Client, hour: datetime, *tables: str) -> dict[str, Any]:
    """Metadata of an hour made from ``tables``: topics with their offsets and times. Raises WarehouseError."""
    found = [row for table in tables for row in queries.run(client, "hour_sources", table=table, hour=hour)]
    lines = [
        f"| {row['topic']} | {row['partitions']} | {row['first_offset']}-{row['last_offset']} | {row['rows']} "
        f"| {row['first_time']:%H:%M:%S.%f} | {row['last_time']:%H:%M:%S.%f} |"
        for row in found
    ]
    head = ["| topic | partitions | offsets | rows | first | last |", "|---|---|---|---|---|---|"]
    metadata: dict[str, Any] = {"source_rows": sum(row["rows"] for row in found)}
    if found:
        metadata |= {
            "offsets": dg.MetadataValue.md("\n".join([*head, *lines])),
            "first_time": dg.MetadataValue.timestamp(min(row["first_time"] for row in found)),
            "last_time": dg.MetadataValue.timestamp(max(row["last_time"] for row in found)),
            "last_received": dg.MetadataValue.timestamp(max(row["last_received_at"] for row in found)),
        }
    return metadata
