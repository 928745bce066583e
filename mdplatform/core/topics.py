"""Topic names: templates from the settings, in which ``{exchange}`` may appear anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mdplatform.core.errors import ConfigError
from mdplatform.core.event_kinds import EVENT_KINDS, KIND_OF, KINDS
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings


class Topics(Mapping[str, str]):
    """The template of each kind of event, by the kind's name; what is not given is the kind's default."""

    def __init__(self, **templates: str) -> None:
        if unknown := templates.keys() - KINDS.keys():
            raise ConfigError(f"no kind of event is called {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
        self._templates = {kind.name: templates.get(kind.name, kind.topic) for kind in EVENT_KINDS}

    @classmethod
    def from_settings(cls, settings: Settings) -> Topics:
        """The templates of ``settings``; raises ConfigError when one is not a Kafka topic name."""
        topics = cls(**{name: getattr(settings, f"topic_{name}") for name in KINDS})
        topics.validate()
        return topics

    def __getitem__(self, kind: str) -> str:
        return self._templates[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._templates)

    def __len__(self) -> int:
        return len(self._templates)

    def of(self, event: Event) -> str:
        """The topic that ``event`` goes to."""
        return self.name(KIND_OF[type(event)].name, event.exchange)

    def name(self, kind: str, exchange: str) -> str:
        """The topic of this kind of event of one exchange."""
        return self._templates[kind].replace("{exchange}", exchange)

    def expand(self, kind: str, exchanges: Iterable[str]) -> list[str]:
        """All topic names of a kind over these exchanges, without repetition, in order."""
        return list(dict.fromkeys(self.name(kind, exchange) for exchange in exchanges))

    def validate(self) -> None:
        """Raises ConfigError when a template holds a character that Kafka does not allow in a topic name."""
        for name, template in self.items():
            text = template.replace("{exchange}", "x")
            if not text or len(text) > 249 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in text):
                raise ConfigError(f"topic template for {name} is not a Kafka topic name: {template!r}")
