"""An hour as Parquet files, and the check of them."""
