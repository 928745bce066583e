"""Builds of an hour by a process that gets killed, run by test_killed_rollups.py.

killed_rollups.py DATABASE    builds HOUR at the server whose URL each line of stdin is
"""

import sys

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.killing import work_by_lines
from mdplatform_tests.warehouse.rows import HOUR


def build(url: str) -> None:
    with connect(Settings(clickhouse_url=url, clickhouse_database=sys.argv[1])) as client:
        build_spread_hourly(client, HOUR)


if __name__ == "__main__":
    work_by_lines(build)
