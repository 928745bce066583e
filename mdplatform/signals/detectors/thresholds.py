"""From when on something is extreme: all that can be set, in one frozen object."""

from __future__ import annotations

import msgspec

from mdplatform.core.errors import ConfigError


class Thresholds(msgspec.Struct, frozen=True):
    """Raises ConfigError (``validate``) for what cannot be. Times in s."""

    move_pct: float = 0.5  # of the mid price
    move_window_s: float = 60.0
    volume_ratio: float = 5.0  # times the usual volume of the window
    volume_exchanges: int = 2  # that must have it at the same time
    volume_window_s: float = 5.0
    liquidations: int = 5  # of one side
    liquidation_window_s: float = 10.0
    imbalance: float = 0.8  # share, averaged over the window
    imbalance_window_s: float = 5.0
    order_flow_sd: float = 10.0  # standard deviations of the market's own flow
    dislocation_bps: float = 20.0  # best bid of one exchange above best ask of another
    dislocation_hold_s: float = 2.0  # for so long: prices that move everywhere do not arrive everywhere at once
    cooldown_s: float = 30.0

    def validate(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name):g}")
        if self.imbalance > 1:
            raise ConfigError(f"imbalance is a share from 0 to 1, not {self.imbalance:g}")
