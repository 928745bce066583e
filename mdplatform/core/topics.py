"""Topic names: templates from the settings, in which ``{exchange}`` may appear anywhere."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mdplatform.core.errors import ConfigError
from mdplatform.core.events import (
    Book,
    DeadLetter,
    Event,
    FeedStats,
    FeedStatus,
    Funding,
    Liquidation,
    Listing,
    Quote,
    RawFrame,
    Trade,
)
from mdplatform.core.settings import Settings


class Topics(msgspec.Struct, frozen=True):
    """One template a kind of message; field names are the dataset names used everywhere."""

    books: str = "md.orderbook.normalized"
    quotes: str = "quotes.{exchange}"
    trades: str = "trades.{exchange}"
    liquidations: str = "liquidations.{exchange}"
    funding: str = "funding.{exchange}"
    instruments: str = "md.instruments"
    status: str = "md.feed.status"
    stats: str = "md.feed.stats"
    dead_letters: str = "md.dead_letter"
    raw: str = "md.raw.{exchange}"
    signals: str = "md.signals"

    @classmethod
    def from_settings(cls, settings: Settings) -> Topics:
        """The templates of ``settings``; raises ConfigError when one is not a Kafka topic name."""
        topics = cls(**{name: getattr(settings, f"topic_{name}") for name in cls.__struct_fields__})
        topics.validate()
        return topics

    def of(self, event: Event) -> str:
        """The topic that ``event`` goes to."""
        template: str = getattr(self, _DATASET[type(event)])
        return template.replace("{exchange}", event.exchange)

    def expand(self, dataset: str, exchanges: Iterable[str]) -> list[str]:
        """All topic names of a dataset over these exchanges, without repetition, in order."""
        template: str = getattr(self, dataset)
        return list(dict.fromkeys(template.replace("{exchange}", exchange) for exchange in exchanges))

    def validate(self) -> None:
        """Raises ConfigError when a template holds a character that Kafka does not allow in a topic name."""
        for name in self.__struct_fields__:
            text = getattr(self, name).replace("{exchange}", "x")
            if not text or len(text) > 249 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in text):
                raise ConfigError(f"topic template for {name} is not a Kafka topic name: {getattr(self, name)!r}")


_DATASET: dict[type, str] = {
    Book: "books",
    Quote: "quotes",
    Trade: "trades",
    Liquidation: "liquidations",
    Funding: "funding",
    Listing: "instruments",
    FeedStatus: "status",
    FeedStats: "stats",
    DeadLetter: "dead_letters",
    RawFrame: "raw",
}
