"""nautilus_trader's own data clients on recorded frames: to the objects that its engine publishes, or to their bytes.

nautilus_trader (LGPL-3.0) is installed for benchmarks only, in an environment of its own inside the one that measures,
as its dependencies are not ours. Measured are the clients that are Python on msgspec: Binance's and Bybit's. OKX's is
Rust that takes frames from its own socket alone; tried with a socket on loopback, it gives nothing of the recorded
books, which have no ``seqId`` yet, and nothing of the recorded trades. For the other venues that are recorded 1.221 has
no client; its Coinbase client is for Coinbase International.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.recordings import Stream
from benchmarks.table import median

SCRIPT = Path(__file__).with_name("nautilus_client.py")
ENVIRONMENT = Path(sys.prefix) / "nautilus"
MARKETS = ("binance spot", "binance usdm", "bybit")
KINDS = ("book", "trade", "quote")


@cache
def is_there() -> bool:
    """Whether it is installed; said once, where it is not."""
    found = any(ENVIRONMENT.glob("lib/python*/site-packages/nautilus_trader"))
    if not found:
        print(f"nautilus_trader is not measured: it is not in {ENVIRONMENT}", file=sys.stderr, flush=True)
    return found


def seconds(stream: Stream, repeats: int, to_bytes: bool) -> float | None:
    """CPU seconds for the stream's frames, of each repeat; None where its engine publishes less than nine tenths."""
    if stream.recording.market not in MARKETS or stream.kind not in KINDS or not is_there():
        return None
    (symbol,) = stream.names.values()
    job = {
        "market": stream.recording.market,
        "kind": stream.kind,
        "symbol": symbol,
        "to_bytes": to_bytes,
        "repeats": repeats,
        "before": [entry.frame.decode() for entry in stream.before],
        "frames": [entry.frame.decode() for entry in stream.frames],
    }
    command = [ENVIRONMENT / "bin" / "python", "-I", SCRIPT]
    ended = subprocess.run(command, input=json.dumps(job).encode(), capture_output=True, check=True)
    answer = json.loads(ended.stdout)
    return median(answer["seconds"]) if answer["messages"] >= 0.9 * len(stream.frames) else None
