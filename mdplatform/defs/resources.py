"""What runs and sensors get handed: the settings, read when a run starts and never at import."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client
from dotenv import dotenv_values
from pydantic import Field

from mdplatform.archive.places import store_at
from mdplatform.archive.store import Store
from mdplatform.collector.lock import ShardLock
from mdplatform.settings import Settings, load
from mdplatform.shards import Shard, parse
from mdplatform.venues import venue_ids
from mdplatform.warehouse.client import connect


class Platform(dg.ConfigurableResource[Any]):
    """The settings of the environment and ``.env``; ``overrides`` go before both."""

    overrides: dict[str, str] = Field(default={}, description="Settings by variable, as in the environment.")

    def environ(self) -> dict[str, str]:
        """Where the settings come from, also for a child process."""
        file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
        return {**file, **os.environ, **self.overrides}

    def settings(self) -> Settings:
        """Raises ConfigError."""
        return load(self.environ())

    def shards(self) -> tuple[Shard, ...]:
        """The collectors that are wanted; raises ConfigError."""
        settings = self.settings()
        return parse(settings.ingest, venue_ids(), settings.collectors)

    def archive_root(self) -> Store:
        """Raises ArchiveError where its address is wrong."""
        return store_at(self.settings().archive_root())

    def data_dir(self) -> Path:
        return Path(self.settings().data_dir).absolute()

    def warehouse(self) -> Client:
        """A connection, to be used in a ``with``; raises WarehouseError."""
        return connect(self.settings())

    def beat(self, shard: str) -> float | None:
        """When the collector of the shard with this key last did its work, in s since the epoch; None: never here."""
        try:
            return self.lock_file(shard).stat().st_mtime
        except FileNotFoundError:
            return None

    def lock_file(self, shard: str) -> Path:
        """Held by the living collector; its mtime is the collector's heartbeat."""
        return ShardLock(str(self.data_dir()), shard).path
