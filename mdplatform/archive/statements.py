"""The statements that fill the archive and prove it: texts of ``sql/queries/archive`` with a dataset's columns."""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from mdplatform.archive.datasets import DATASETS, Dataset
from mdplatform.warehouse.files import included
from mdplatform.warehouse.queries import Query, load, query
from mdplatform.warehouse.render import render

SEPARATOR = ",\n    "


@cache
def export(name: str) -> Query:
    """One venue's rows of an hour of the dataset ``name``, in its order and with its columns."""
    return _export(DATASETS[name], included("of_venue", {}))


@cache
def export_venues(name: str) -> Query:
    """The same of all venues: among the rows of the others, each venue's are in their order."""
    return _export(DATASETS[name], "")


def _export(dataset: Dataset, venue: str) -> Query:
    columns = SEPARATOR.join(_exported(dataset, field) for field in dataset.schema)
    values = {"columns": columns, "rows": _rows(dataset), "venue": venue, "order": ", ".join(dataset.sorted_by)}
    return query(dataset.query, render(load("export").sql, values))


@cache
def fingerprint(name: str) -> Query:
    """By venue, the rows of an hour, the range of their sequences, and the checksum that files must have."""
    dataset = DATASETS[name]
    summands = [f"{2 * place + 1} * {_bits(dataset, column)}" for place, column in enumerate(dataset.checked)]
    values = {
        "least": f"min({dataset.sequence})" if dataset.sequence else "NULL",
        "most": f"max({dataset.sequence})" if dataset.sequence else "NULL",
        "weight": _bits(dataset, dataset.weight),
        "checked": "\n        + ".join(summands),
        "rows": _rows(dataset),
    }
    return query(dataset.fingerprint, render(load("fingerprint").sql, values))


def _rows(dataset: Dataset) -> str:
    return included(dataset.rows, {"table": dataset.table})


def _source(dataset: Dataset, column: str) -> str:
    """What the rows call it: as their table does, where they are not made for the archive."""
    return dataset.renamed.get(column, column) if dataset.rows == "archived_rows" else column


def _exported(dataset: Dataset, field: pa.Field) -> str:
    source = _source(dataset, field.name)
    kind = _kind(field.type)
    if kind == "integer":
        return f"toInt{field.type.bit_width}({source}) AS {field.name}"
    if kind == "text":
        return f"toString({source}) AS {field.name}"
    return source if source == field.name else f"{source} AS {field.name}"


def _bits(dataset: Dataset, column: str) -> str:
    kind = _kind(dataset.schema.field(column).type)
    return included(f"bits_of_{kind}", {"column": _source(dataset, column)})


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return "numbers"
    if pa.types.is_timestamp(type_):
        return "time"
    if pa.types.is_integer(type_):
        return "integer"
    return "number" if pa.types.is_floating(type_) else "text"
