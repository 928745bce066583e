"""The files that a frame of a live book passes: ``python -m mdplatform_tests.frame_files [VENUE CHANNEL SYMBOL]``.

The real collector takes frames from the simulated venue; a file counts when one of its functions runs between two
receives of the socket. Printed is what most frames pass.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import mdplatform
from mdplatform_tests.simulator.rig import collected

ROOT = str(Path(mdplatform.__file__).parent) + "/"
SOCKET, BUS_IN_MEMORY, BUS = "feed/connection.py", "bus/memory.py", "bus/kafka.py"
FRAMES = 40


class Trace:
    """Which files ran for each frame; ``profile`` is for ``sys.setprofile``."""

    def __init__(self) -> None:
        self.passed: Counter[frozenset[str]] = Counter()
        self._files: set[str] | None = None

    def profile(self, frame: FrameType, event: str, value: Any) -> None:
        name = frame.f_code.co_filename
        if not name.startswith(ROOT) or "/simulator/" in name:
            return
        file = name.removeprefix(ROOT)
        if (file, frame.f_code.co_name) == (SOCKET, "receive"):
            if event == "return" and isinstance(value, bytes):
                self._files = {file}
            elif event == "call" and self._files is not None:
                self.passed[frozenset(self._files)] += 1
                self._files = None
        elif event == "call" and self._files is not None:
            self._files.add(BUS if file == BUS_IN_MEMORY else file)


async def files_of_a_frame(venue: str, channel: str, symbol: str) -> list[str]:
    """Those that most frames of a valid book pass."""
    trace = Trace()
    async with collected(channel, venue=venue, symbols=(symbol,)) as (_, collector):
        await collector.until_valid()
        sys.setprofile(trace.profile)
        try:
            await collector.until(lambda: trace.passed.total() >= FRAMES)
        finally:
            sys.setprofile(None)
    ((most, _),) = trace.passed.most_common(1)
    return sorted(most)


def main() -> None:
    venue, channel, symbol = sys.argv[1:] or ("binance", "depth@100ms", "BTC-USDT")
    files = asyncio.run(files_of_a_frame(venue, channel, symbol))
    print(f"{len(files)} files: {' '.join(files)}")


if __name__ == "__main__":
    main()
