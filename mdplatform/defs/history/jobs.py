"""The job that loads the past."""

import dagster as dg

from mdplatform.defs.history.datasets import DATASETS

load_history = dg.define_asset_job(
    "load_history",
    selection=dg.AssetSelection.assets(*(dataset.name for dataset in DATASETS)),
    description="A day or a range of days of the venues' public archives, for each instrument of MDPLATFORM_HISTORY.",
    tags={"mdplatform/batch": "history"},
)
