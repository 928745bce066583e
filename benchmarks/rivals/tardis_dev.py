"""tardis-dev's own mappers on recorded frames, under Node: from a frame's text to the JSON of what it means.

tardis-dev (MPL-2.0) is installed for benchmarks only: ``npm install --prefix .venv-bench/node tardis-dev@13.35.3``. Its
books are cut to 20 levels as ours are, and written at each change of those; it checks no sequence, and its numbers are
floats. The engine has compiled what it measures: the frames are played several times, and the first time is left out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.recordings import Stream
from benchmarks.table import median
from mdplatform.recordings.tape import Entry

SCRIPT = Path(__file__).with_suffix(".mjs")
PACKAGES = Path(sys.prefix) / "node"
WARM = 3  # repeats that are measured at least, after the one that the engine compiles in
# By our name of a recording's market.
EXCHANGES = {
    "binance spot": "binance",
    "binance usdm": "binance-futures",
    "coinbase": "coinbase",
    "kraken futures": "cryptofacilities",
    "kucoin": "kucoin",
    "okx": "okex",
    "bybit": "bybit",
    "gate futures": "gate-io-futures",
    "deribit": "deribit",
}


@cache
def node() -> str | None:
    """Where Node is; None, said once, where it or tardis-dev is missing."""
    found = shutil.which("node")
    if found is None or not (PACKAGES / "node_modules" / "tardis-dev").is_dir():
        missing = "node" if found is None else f"tardis-dev in {PACKAGES}"
        print(f"tardis-dev is not measured: there is no {missing}", file=sys.stderr, flush=True)
        return None
    return found


def seconds(stream: Stream, repeats: int) -> float | None:
    """CPU seconds for the stream's frames, of each repeat; None where it does not understand half of them."""
    exchange, program = EXCHANGES.get(stream.recording.market), node()
    if exchange is None or program is None:
        return None
    job = {
        "exchange": exchange,
        "kind": stream.kind,
        "repeats": 1 + max(repeats, WARM),
        "before": [_played(entry) for entry in stream.before],
        "frames": [_played(entry) for entry in stream.frames],
    }
    command = [program, str(SCRIPT), str(PACKAGES)]
    ended = subprocess.run(command, input=json.dumps(job).encode(), capture_output=True, check=False)
    if ended.returncode:
        return None  # a recording older or newer than its mapper
    answer = json.loads(ended.stdout)
    understood = answer["messages"] >= 0.5 * len(stream.frames)
    return median(answer["seconds"][1:]) if understood else None


def _played(entry: Entry) -> tuple[str, int]:
    """A frame as its feed would send it: snapshots asked for by REST are frames of their own there, and of OKX's
    channels of books it knows the name of one."""
    text = entry.frame.decode().replace('"channel":"books"', '"channel":"books-l2-tbt"', 1)
    if '"lastUpdateId"' in text[:40]:
        text = f'{{"stream":"btcusdt@depthSnapshot","generated":true,"data":{text}}}'
    return text, entry.received_ns
