"""Parquet files that prove themselves: one directory an hour, one manifest a directory."""
