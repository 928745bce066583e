"""What is fuzzed: each takes bytes and returns, or raises what is a defect of ours."""

from __future__ import annotations

import contextlib
import gzip
import struct
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from mdplatform.archive import manifest
from mdplatform.archive.layout import Partition
from mdplatform.bus import Message
from mdplatform.bus.reader import newest_status
from mdplatform.core.codec import encode
from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.core.events import Book, DeadLetter, Event, Trade
from mdplatform.core.session import Fetch, Reconnect, Request, Send
from mdplatform.core.settings import addresses, load
from mdplatform.core.shards import parse as parse_shards
from mdplatform.core.symbols import Instruments
from mdplatform.core.topics import Topics
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.messages import DECODERS
from mdplatform.embedded.clickhouse.compression import DAMAGED, decoder
from mdplatform.embedded.clickhouse.errors import Refusal
from mdplatform.embedded.clickhouse.native import Transcoder
from mdplatform.embedded.clickhouse.statements import parse as parse_statement
from mdplatform.embedded.kafka_frames import is_empty
from mdplatform.recordings.tape import Entry, parse, tape_line
from mdplatform.venues import venue, venue_ids
from mdplatform.warehouse.render import placeholders
from mdplatform_tests.fuzz import web
from mdplatform_tests.fuzz.search import Target
from mdplatform_tests.venues.replaying import check_sound

FRAMES = Path(__file__).parents[1] / "frames"
START_NS = 1_790_000_000_000_000_000
STEP_NS = 50_000_000
MANIFEST = (
    b'{"schema_version":1,"partition":"trades/exchange=binance/date=2026-11-21/hour=08","rows":1,"bytes":1,'
    b'"schema_sha256":"","files":[{"name":"part-0000.parquet","rows":1,"bytes":1,"sha256":""}],'
    b'"symbols":[{"symbol":"BTC-USDT","rows":1,"min_time_ns":0,"max_time_ns":1}],"origin":{"query":"","code_version":""}}'
)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def session(venue_id: str) -> Target:
    """A frame a line, or ``!200 `` and the answer to what the session asked for first, through the venue's session."""
    facts = venue(venue_id)
    # A venue may know thousands; a reader looks at each, for every input.
    named = b"".join(golden(venue_id))
    known = (instrument for instrument in facts.known_instruments() if instrument.venue_symbol.encode() in named)
    instruments = Instruments(venue_id, known)

    def told(data: bytes) -> None:
        reader, asked = facts.reader(instruments), deque[Request]()
        reader.connected("fuzz", START_NS)
        for number, line in enumerate(data.split(b"\n")):
            at_ns = START_NS + number * STEP_NS
            status, _, body = line[1:].partition(b" ")
            if asked and line[:1] == b"!" and status in (b"200", b"0"):
                frame, outputs = body, reader.answer(asked.popleft(), int(status), body, at_ns)
            else:
                frame, outputs = line, reader.receive(line, at_ns)
            for output in (*outputs, *reader.tick(at_ns)):
                if isinstance(output, Fetch):
                    asked.append(output.request)
                elif not isinstance(output, Send | Reconnect):
                    check(output, frame)
        reader.closed("fuzz", START_NS)

    return told


def check(event: Event, frame: bytes) -> None:
    """What ``frame`` gave: its message can be read, is sound, and what is refused, of a list a row, is kept whole."""
    message = _decoder.decode(encode(event)[1])
    if isinstance(event, DeadLetter):
        assert event.frame in frame
    if isinstance(event, Book | Trade):
        check_sound(message | {"type": "book" if isinstance(event, Book) else "trade"})


def tape(data: bytes) -> None:
    """Lines of a tape: an entry that was read is written and read back the same."""
    for entry in parse(data.split(b"\n")):
        # A time before 2001 in ns reads as one in another unit.
        if isinstance(entry, Entry) and (entry.kind, entry.path) == ("frame", None) and entry.received_ns >= 10**18:
            written = tape_line(entry.received_ns, entry.frame)
            assert list(parse([written])) == [Entry(entry.received_ns, entry.frame)]


def settings(data: bytes) -> None:
    """``VARIABLE=value`` a line, as from a .env, and everything that is made of the settings."""
    lines = data.decode(errors="surrogateescape").split("\n")
    with contextlib.suppress(ConfigError):
        loaded = load(dict(line.partition("=")[::2] for line in lines))
        loaded.shown()
        for text in (loaded.ws_urls, loaded.rest_urls, loaded.history_urls):
            with contextlib.suppress(ConfigError):
                addresses(text, "X")
        with contextlib.suppress(ConfigError):
            parse_shards(loaded.ingest, venue_ids(), loaded.collectors)
        with contextlib.suppress(ConfigError):
            Topics.from_settings(loaded)
        assert "'" not in "".join(placeholders(loaded)["brokers"])


def archive(data: bytes) -> None:
    """A partition's path, or a manifest."""
    with contextlib.suppress(ArchiveError):
        assert ".." not in Partition.parse(data.decode(errors="replace")).path
    with tempfile.TemporaryDirectory() as root, contextlib.suppress(ArchiveError):
        partition = Partition("trades", "binance", datetime(2026, 11, 21, 8, tzinfo=UTC))
        path = Path(root) / partition.manifest
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        assert all("/" not in file.name for file in manifest.read(Path(root), partition).files)


def statement(data: bytes) -> None:
    """SQL as the endpoint looks at it before the engine does."""
    with contextlib.suppress(Refusal):
        found = parse_statement(data)
        assert found.data_at is None or 0 <= found.data_at <= len(data)


def native(data: bytes) -> None:
    """A document in Native format."""
    with contextlib.suppress(Refusal, IndexError, TypeError):  # the last two: it ends too soon
        Transcoder().write(data)


def compressed(data: bytes) -> None:
    """A request's body in some content encoding, which the first line names."""
    name, _, body = data.partition(b"\n")
    with contextlib.suppress(Refusal, *DAMAGED):
        codec = decoder(name.decode(errors="replace"))
        codec.write(body[: len(body) // 2])
        codec.write(body[len(body) // 2 :])
        codec.flush()


def fetched(data: bytes) -> None:
    """An answer of the broker, as the relay looks at it; its version is the first byte."""
    is_empty(data[1:], data[0] % 12 if data else 0)


def topics(data: bytes) -> None:
    """A message a line in any topic, as the live page and the readers of statuses take it."""
    board = Board()
    for number, value in enumerate(data.split(b"\n")):
        for dataset in DECODERS:
            board.take(dataset, value, number)
        newest_status([Message("t", 0, number, 0, b"", value)], "binance")


def golden(venue_id: str) -> Iterator[bytes]:
    """The frames of each case that is tested by hand."""
    for path in sorted((FRAMES / venue_id).glob("*.frames.jsonl")):
        entries = parse(path.read_bytes().splitlines())
        yield b"\n".join(entry.frame for entry in entries if isinstance(entry, Entry))[:16_384]


def published() -> Iterator[bytes]:
    """What the golden cases make of messages."""
    for venue_id in ("binance-usdm", "bybit"):
        for path in sorted((FRAMES / venue_id).glob("*.events.jsonl"))[:6]:
            yield path.read_bytes()[:8_192]


SESSIONS: dict[str, Callable[[], Target]] = {f"session-{name}": lambda n=name: session(n) for name in venue_ids()}  # type: ignore[misc]
OTHERS: dict[str, Target] = {
    "tape": tape,
    "settings": settings,
    "archive": archive,
    "statement": statement,
    "native": native,
    "compressed": compressed,
    "fetched": fetched,
    "topics": topics,
    "endpoint": web.endpoint,
    "page": web.page,
}
NAMES = (*SESSIONS, *OTHERS)
SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "tape": lambda: [b"1790000000 {}\n1790000000.5: x\nhttps://h/x -> 1790000000.1: {}\n1 !base64 AAAA\n1 !rest /a b"],
    "settings": lambda: [
        b"KAFKA_BROKERS=a:1\nCLICKHOUSE_URL=http://u:p@h:1\nMDPLATFORM_INGEST=binance:BTC-USDT:book;okx:ETH-USDT",
        b"MDPLATFORM_KAFKA_SECURITY_PROTOCOL=SASL_SSL\nMDPLATFORM_KAFKA_SASL_USERNAME=u\n"
        b"MDPLATFORM_KAFKA_SASL_PASSWORD=p\nMDPLATFORM_WS_URLS=binance=ws://h:1;okx=ws://h:2\nMDPLATFORM_DEPTH=5\n"
        b"MDPLATFORM_KEEP_RAW=yes\nKAFKA_TOPIC=b.{exchange}\nMDPLATFORM_CLUSTER=c\nMDPLATFORM_DATABASE=d",
    ],
    "archive": lambda: [b"trades/exchange=binance/date=2026-11-21/hour=08", MANIFEST],
    "statement": lambda: [
        b"SELECT 'a''b', `c` FROM t FORMAT JSON",
        b"INSERT INTO t (a) SETTINGS x = 1 FORMAT CSV\n1\n",
        b"WITH 1 AS x INSERT INTO t SELECT x; ;",
        b"/* a */ INSERT INTO t VALUES (1, '--')",
        b'-- c\nSELECT $a$;$a$, "q"',
    ],
    "native": lambda: [
        b"\x01\x02\x01n\x06UInt64" + struct.pack("<QQ", 1, 2),
        b"\x02\x01\x01s\x06String\x03abc\x01a\x0cArray(Int32)" + struct.pack("<Qi", 1, 7),
        b"\x01\x01\x01l\x16LowCardinality(String)"
        + struct.pack("<QQQ", 1, 0x600, 1)
        + b"\x01a"
        + struct.pack("<QB", 1, 0),
        b"\x01\x01\x01m\x17Map(String, Nullable(Date))" + struct.pack("<Q", 0),
    ],
    "compressed": lambda: [
        b"gzip\n" + gzip.compress(b"abc"),
        b"deflate\n" + zlib.compress(b"abc"),
        b"zstd\n\x28\xb5\x2f\xfd",
        b"lz4\n\x04\x22\x4d\x18",
    ],
    "fetched": lambda: [bytes([v]) + struct.pack(">iihiih", 1, 0, 0, 0, 1, 1) + b"t" + b"\0" * 60 for v in (4, 7, 11)],
    "topics": lambda: list(published()),
    "endpoint": lambda: web.ENDPOINT_SEEDS,
    "page": lambda: web.PAGE_SEEDS,
}


def target(name: str) -> Target:
    return SESSIONS[name]() if name in SESSIONS else OTHERS[name]


def seeds(name: str) -> list[bytes]:
    if name not in SESSIONS:
        return SEEDS[name]()
    frames = list(golden(name.removeprefix("session-")))
    # Some of these lines are REST answers: let each be one, to whatever was asked.
    return [*frames, *(data.replace(b"\n", b"\n!200 ") for data in frames)]
