"""With which hour Dagster's partitions begin."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mdplatform.core import first_hour
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import load

HOUR = datetime(2026, 11, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-30T05:00", "2026-11-30 05:59", "2026-11-30T07:00+02:00"])
def test_a_moment_is_its_hour_in_utc(text: str) -> None:
    assert first_hour.parse(text) == HOUR


def test_a_setting_that_is_no_moment_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="MDPLATFORM_FIRST_HOUR must be a day or an hour"):
        load({"MDPLATFORM_FIRST_HOUR": "monday"})


def test_the_setting_counts_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    environ = {"MDPLATFORM_DATA_DIR": str(tmp_path)}
    assert first_hour.first_hour(environ, "") == first_hour.UNKNOWN
    first_hour.note(str(tmp_path), HOUR)
    assert first_hour.first_hour(environ, "") == HOUR
    assert first_hour.first_hour(environ | {"MDPLATFORM_FIRST_HOUR": "2026-01-01"}, "").month == 1


def test_the_first_hour_moves_back_only(tmp_path: Path) -> None:
    assert first_hour.note(str(tmp_path), HOUR)
    assert not first_hour.note(str(tmp_path), HOUR + timedelta(hours=1))
    assert first_hour.note(str(tmp_path), HOUR - timedelta(hours=1))
    assert first_hour.kept(str(tmp_path)) == HOUR - timedelta(hours=1)


def test_what_dagster_loads_begins_where_the_data_begins(tmp_path: Path) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    first_hour.note(str(tmp_path), hour)
    code = "import json; from mdplatform.defs.partitions import HOURLY; print(json.dumps(HOURLY.get_partition_keys()))"
    environ = {**os.environ, "MDPLATFORM_DATA_DIR": str(tmp_path), "MDPLATFORM_FIRST_HOUR": ""}
    keys = json.loads(subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True).stdout)
    assert keys[0] == f"{hour:%Y-%m-%d-%H:00}"
    assert len(keys) in (4, 5)  # three that are over, and the one under way; an hour may begin meanwhile
