"""A value near its threshold crosses it many times: hysteresis makes one episode of them."""

from __future__ import annotations

RELEASE = 0.5  # of the threshold: below it the episode is over


class Episode:
    """Begins at the threshold and lasts until the value is below half of it."""

    def __init__(self) -> None:
        self.lasts = False

    def begins(self, value: float, threshold: float) -> bool:
        """Whether an episode begins with this value."""
        if self.lasts:
            self.lasts = value >= threshold * RELEASE
            return False
        self.lasts = value >= threshold
        return self.lasts
