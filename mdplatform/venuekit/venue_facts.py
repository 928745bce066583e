"""The facts that most venues share, and the channels that a setting or a recording means."""

from __future__ import annotations

from mdplatform.core.session import Channel, select_channels, select_for_subscription


class VenueFacts:
    """A venue states the rest of ``core.session.Venue``, and these where they differ."""

    channels: tuple[Channel, ...]
    default_channels: tuple[str, ...]
    lifetime_s: float | None = None
    used_weight_header: str | None = None

    def to_subscribe(self, names: tuple[str, ...]) -> tuple[Channel, ...]:
        """The channels with these names or kinds, else the default ones. Raises ConfigError."""
        return select_for_subscription(self.channels, names or self.default_channels)

    def to_read(self, names: tuple[str, ...]) -> tuple[Channel, ...]:
        """The channels of a recording with these names or kinds, else all. Raises ConfigError."""
        return select_channels(self.channels, names) or self.channels
