"""The columns of the archive's files and where each comes from: metadata that the UI shows."""

from __future__ import annotations

import dagster as dg

from mdplatform.archive.datasets import DATASETS, SPREADS, Dataset, type_name
from mdplatform.defs.external.assets import table_key


def archive_schema() -> dg.TableSchema:
    """The columns of all datasets of the archive, each named ``dataset.column``."""
    return dg.TableSchema(
        [
            dg.TableColumn(f"{dataset.name}.{field.name}", type_name(field.type))
            for dataset in DATASETS.values()
            for field in dataset.schema
        ]
    )


def archive_source(dataset: Dataset) -> dg.AssetKey:
    """The asset whose rows a dataset archives."""
    return dg.AssetKey("spread_hourly") if dataset is SPREADS else table_key(dataset.table)


def archive_lineage() -> dg.TableColumnLineage:
    """Each column of a file comes from one column of its table."""
    return dg.TableColumnLineage(
        {
            f"{dataset.name}.{name}": [dg.TableColumnDep(archive_source(dataset), dataset.renamed.get(name, name))]
            for dataset in DATASETS.values()
            for name in dataset.schema.names
        }
    )
