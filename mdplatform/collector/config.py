"""A collector's configuration, and its report at the end."""

from __future__ import annotations

import msgspec

from mdplatform.core.errors import ConfigError
from mdplatform.core.session import Credentials
from mdplatform.core.settings import Settings, addresses
from mdplatform.core.shards import FIRST, Shard, followed_books
from mdplatform.core.symbols import check_rule


class CollectorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One shard: a venue and canonical symbols. Empty ``channels``: the venue's defaults."""

    venue: str
    symbols: tuple[str, ...]
    channels: tuple[str, ...] = ()
    ws_url: str | None = None  # replaces the venue's address
    rest_url: str | None = None
    depth: int = 20  # book levels per side in a message
    keep_raw: bool = False  # also publish every frame as received
    increments: str = "none"  # whose book changes are also published: as MDPLATFORM_INCREMENTS
    collector: str = FIRST  # A, or the letter of one that collects the same feed beside it
    strict: bool = False  # a symbol that the venue does not list is an error; else it is collected once it is listed
    credentials: Credentials | None = None  # to log in with, at a venue that offers it

    def __post_init__(self) -> None:
        """Raises ConfigError for no symbols, no letter of a collector, and for addresses of another kind."""
        if len(self.collector) != 1 or not "A" <= self.collector <= "Z":
            raise ConfigError(f"a collector is named by a letter, A to Z, not {self.collector!r}")
        for name in self.symbols:
            if "@" in name:
                check_rule(name)
        followed_books(self.increments, self.venue)
        if not self.symbols:
            raise ConfigError(f"no symbols given for {self.venue}")
        for name, url, scheme in (("WebSocket", self.ws_url, "ws"), ("REST", self.rest_url, "http")):
            if url is not None and not url.startswith((f"{scheme}://", f"{scheme}s://")):
                raise ConfigError(f"the {name} address of {self.venue} must start with {scheme}(s)://, not {url!r}")

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        venue: str,
        symbols: tuple[str, ...],
        channels: tuple[str, ...] = (),
        *,
        ws_url: str | None = None,
        rest_url: str | None = None,
        collector: str = FIRST,
        strict: bool = False,
    ) -> CollectorConfig:
        """The shard with these settings; a given address takes precedence over theirs. Raises ConfigError."""
        credentials = settings.credentials(venue)
        return cls(
            venue=venue,
            symbols=symbols,
            channels=channels,
            ws_url=ws_url or addresses(settings.ws_urls, "MDPLATFORM_WS_URLS").get(venue),
            rest_url=rest_url or addresses(settings.rest_urls, "MDPLATFORM_REST_URLS").get(venue),
            depth=settings.depth,
            keep_raw=settings.keep_raw,
            increments=settings.increments,
            collector=collector,
            strict=strict,
            credentials=None if credentials is None else Credentials(*credentials),
        )

    @property
    def shard(self) -> str:
        """The key of this shard, by which its lock and its connections are named."""
        return Shard(self.venue, self.symbols, self.channels, self.collector).key


class CollectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of a whole run. Every accepted message is acknowledged, failed or left."""

    frames: int
    events: int
    reconnects: int
    gaps: int
    dead_letters: int
    accepted: int
    acknowledged: int
    failed: int  # refused by the broker for good
    left: int  # not acknowledged when the time for draining was over

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, {self.events} events, {self.reconnects} reconnects, {self.gaps} gaps, "
            f"{self.dead_letters} dead letters; {self.acknowledged} of {self.accepted} messages acknowledged, "
            f"{self.failed} failed, {self.left} left"
        )
