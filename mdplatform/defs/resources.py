"""What runs and sensors get handed: the settings, read when a run starts and never at import."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client
from pydantic import Field

from mdplatform.archive.open_store import store_at
from mdplatform.archive.store import Store
from mdplatform.collector import pauses
from mdplatform.collector.lock import ShardLock
from mdplatform.collector.pauses import Pause
from mdplatform.core.environment import environment
from mdplatform.core.settings import Settings, load
from mdplatform.core.shards import Shard, parse
from mdplatform.venues import venue_ids
from mdplatform.warehouse.client import connect


class Platform(dg.ConfigurableResource[Any]):
    """The settings of the environment, ``.env`` and a stack that runs on the data directory, as commands find them;
    ``overrides`` go before all."""

    overrides: dict[str, str] = Field(default={}, description="Settings by variable, as in the environment.")

    def environ(self) -> dict[str, str]:
        """Where the settings come from, also for a child process. Raises ConfigError."""
        data_dir = self.overrides.get("MDPLATFORM_DATA_DIR")
        return {**environment(Path(data_dir) if data_dir else None), **self.overrides}

    def settings(self) -> Settings:
        """Raises ConfigError."""
        return load(self.environ())

    def shards(self) -> tuple[Shard, ...]:
        """The collectors that are wanted; raises ConfigError."""
        settings = self.settings()
        return parse(settings.ingest, venue_ids(), settings.collectors)

    def pauses(self) -> dict[str, Pause]:
        """The venues that an operator has paused."""
        return pauses.read(self.settings().data_dir)

    def archive_root(self) -> Store:
        """Raises ArchiveError where its address is wrong."""
        return store_at(self.settings().archive_root())

    def data_dir(self) -> Path:
        return Path(self.settings().data_dir).absolute()

    def warehouse(self) -> Client:
        """A connection, to be used in a ``with``; raises WarehouseError."""
        return connect(self.settings())

    def lock_file(self, shard: str) -> Path:
        """Held by the living collector of the shard with this key; its mtime is the collector's heartbeat."""
        return self.lock_files([shard])[shard]

    def lock_files(self, shards: Iterable[str]) -> dict[str, Path]:
        """The same of many; the settings are read once."""
        data_dir = str(self.data_dir())
        return {shard: ShardLock(data_dir, shard).path for shard in shards}
