"""Stands for Tardis' data feed: a recording of Binance as slices of minutes, in the layout that tardis-dev fetches.

    python -m benchmarks.rivals.tardis_feed RECORDING.txt.gz PORT

tardis-machine is pointed at it by ``init({ endpoint: 'http://127.0.0.1:PORT/v1' })`` of tardis-dev after its own
``new TardisMachine(...)``; nothing of it is changed. Answers of REST are given as it expects them, as generated frames.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

Slices = dict[datetime, list[tuple[str, bytes]]]  # minute -> (channel, line)
DEPTH = b'{"stream":"btcusdt@depthSnapshot","generated":true,"data":%s}'


def slices(path: Path) -> Slices:
    found: Slices = {}
    with gzip.open(path) as file:
        for line in file:
            ns, _, frame = line.rstrip(b"\n").partition(b" ")
            text = frame if b'"stream"' in frame[:12] else DEPTH % frame
            at = datetime.fromtimestamp(int(ns) // 10**9, UTC)
            stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{int(ns) % 10**9 // 100:07d}Z "
            channel = json.loads(text)["stream"].split("@")[1]
            found.setdefault(at.replace(second=0), []).append((channel, stamp.encode() + text))
    return found


class Feed(BaseHTTPRequestHandler):
    """``/v1/data-feeds/EXCHANGE?from=&offset=&filters=&sliceSize=``; anything else is an empty list."""

    protocol_version = "HTTP/1.1"
    of: ClassVar[Slices] = {}

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        size = int(asked.get("sliceSize", "1"))
        body = gzip.compress(b"".join(self._lines(asked, size)), 1) if "from" in asked else gzip.compress(b"[]")
        self.send_response(200)
        headers = {"Content-Encoding": "gzip", "X-Slice-Size": size, "Content-Length": len(body)}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def _lines(self, asked: dict[str, str], size: int) -> Iterator[bytes]:
        start = datetime.fromisoformat(asked["from"]) + timedelta(minutes=int(asked["offset"]))
        channels = {each["channel"] for each in json.loads(asked.get("filters", "[]"))}
        for minute in (start + timedelta(minutes=number) for number in range(size)):
            yield from (line + b"\n" for name, line in self.of.get(minute, ()) if not channels or name in channels)

    def log_message(self, format: str, *args: object) -> None:
        """A line for each slice says nothing."""


if __name__ == "__main__":
    Feed.of = slices(Path(sys.argv[1]))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Feed).serve_forever()
