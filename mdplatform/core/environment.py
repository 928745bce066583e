"""Where commands and notebooks take their settings from."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from mdplatform.core import stack_state
from mdplatform.core.settings import load


def environment(data_dir: Path | None = None) -> dict[str, str]:
    """The environment, over ``.env`` of the working directory, over the addresses of a stack that runs there.

    ``data_dir`` stands for MDPLATFORM_DATA_DIR. Raises ConfigError where others may have written what is read there.
    """
    given = {**{k: v for k, v in dotenv_values(".env").items() if v is not None}, **os.environ}
    if data_dir is not None:
        given["MDPLATFORM_DATA_DIR"] = str(data_dir)
    return {**_of_running_stack(Path(load(given).data_dir), given), **given}


def _of_running_stack(data_dir: Path, given: dict[str, str]) -> dict[str, str]:
    """The addresses that `up` chose for its services, so that `query` and other commands find them by themselves."""
    found = stack_state.read(data_dir)
    if found is None or not stack_state.is_running(data_dir):
        return {}
    addresses = {"KAFKA_BROKERS": found.kafka, "CLICKHOUSE_URL": found.clickhouse}
    # Of another server the reader is another one too.
    if not given.get("CLICKHOUSE_URL"):
        addresses["CLICKHOUSE_READER_URL"] = found.clickhouse_reader
    return {name: address for name, address in addresses.items() if address is not None}
