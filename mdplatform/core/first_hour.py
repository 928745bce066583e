"""The hour with which Dagster's partitions begin: MDPLATFORM_FIRST_HOUR, or what `mdplatform migrate` found.

Every process that loads the definitions must come to the same hour, so it is kept in a file of the data directory: the
first hour that was ever collected, or, where nothing was yet, the hour in which the tables were created.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mdplatform.core.errors import ConfigError

VARIABLE = "MDPLATFORM_FIRST_HOUR"
UNKNOWN = datetime(2024, 8, 1, tzinfo=UTC)  # where no tables were created from here; before any venue's code of ours
FILE = "first_hour"


def parse(text: str) -> datetime:
    """``2026-11-30`` or ``2026-11-30T05:00``, in UTC; raises ConfigError."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{VARIABLE} must be a day or an hour, as 2026-11-30T05:00, not {text[:40]!r}") from None
    return (given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)).replace(
        minute=0, second=0, microsecond=0
    )


def first_hour(environ: Mapping[str, str], default_data_dir: str) -> datetime:
    """The first hour that is a partition. Raises ConfigError for a setting that is none."""
    if environ.get(VARIABLE):
        return parse(environ[VARIABLE])
    return kept(environ.get("MDPLATFORM_DATA_DIR") or default_data_dir) or UNKNOWN


def kept(data_dir: str) -> datetime | None:
    """What was noted in the data directory; None where nothing can be read there."""
    try:
        return parse((Path(data_dir) / FILE).read_text().strip())
    except (OSError, UnicodeDecodeError, ConfigError):
        return None


def note(data_dir: str, hour: datetime) -> bool:
    """Keep ``hour`` where none is kept or a later one is; whether that changed something. Raises ConfigError."""
    before = kept(data_dir)
    if before is not None and before <= hour:
        return False
    path = Path(data_dir) / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(f"{hour.astimezone(UTC):%Y-%m-%dT%H:00}\n")
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return True
