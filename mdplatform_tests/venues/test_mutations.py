"""A thousand damaged frames a venue: none crashes, each refused one is kept whole, what comes out is sound."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mdplatform.core.codec import encode
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Book, DeadLetter, Event, Trade
from mdplatform.core.session import Fetch, Reconnect, Send
from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venues import venue
from mdplatform_tests.simulator.tape import generate
from mdplatform_tests.venues.replaying import check_sound, replay

FRAMES = Path(__file__).parents[1] / "frames"
RECORDINGS = {
    "binance": ("binance/hft_spot_btcusdt_20240808.txt.gz",),
    "binance-usdm": ("binance/hft_usdm_btcusdt_20240808.first90s.txt.gz",),
    "binance-coinm": ("binance/hft_cm_btcusd_perp_20240808.first40s.txt.gz",),
    "coinbase": ("coinbase/cryptofeed_COINBASE.ws.28.0.part.gz",),
    "deribit": ("deribit/cryptofeed_DERIBIT.0.gz", "deribit/cryptofeed_DERIBIT.ws.1.0"),
    "bybit": (),
    "kucoin": tuple(f"kucoin/cryptofeed_KUCOIN.{part}" for part in ("0.gz", "http.0.0.part", "ws.1.0.part.gz")),
    "kraken": ("kraken/cryptofeed_KRAKEN_FUTURES.ws.1.0.gz",),
    "bitget": (),
    "gate": (
        "gate/cryptofeed_GATEIO.http.0.0",
        "gate/cryptofeed_GATEIO.ws.1.0",
        "gate/cryptofeed_GATEIO_FUTURES.http.0.0",
        "gate/cryptofeed_GATEIO_FUTURES.ws.1.0",
    )
    * 6,  # a book that breaks waits for the next time round
    "okx": ("okx/cryptofeed_OKX.0.first5.gz", "okx/cryptofeed_OKX.ws.1.0.gz"),
    "hyperliquid": (),
    "cryptocom": (),
}
# Where too little is recorded in a piece, the simulator sends BTC for so many seconds.
SIMULATED = {"deribit": 8.0, "hyperliquid": 180.0, "kucoin": 10.0, "kraken": 8.0, "cryptocom": 8.0}
START_NS = 1_790_000_000_000_000_000
DAMAGED = 1000


def damage(frame: bytes, rng: random.Random) -> bytes:
    """One of: cut short, bytes replaced, digits changed, a piece taken out, doubled, or swapped in from elsewhere."""
    kind = rng.randrange(6)
    at = rng.randrange(len(frame))
    if kind == 0:
        return frame[:at]
    if kind == 1:
        return frame[:at] + rng.randbytes(rng.randrange(1, 4)) + frame[at + 1 :]
    if kind == 2:
        digits = [i for i, byte in enumerate(frame) if 48 <= byte <= 57] or [at]
        chosen = rng.choice(digits)
        return frame[:chosen] + rng.choice((b"9", b"0", b"-", b"e", b".", b'"')) + frame[chosen + 1 :]
    if kind == 3:
        return frame[:at] + frame[at + rng.randrange(1, 20) :]
    if kind == 4:
        return frame[:at] + frame[max(0, at - rng.randrange(1, 20)) :]
    swapped = rng.choice((b"null", b"{}", b"[]", b"1e999", b'"NaN"', b"[" * 5000, b"true", b'"-0.0"', b"\x00"))
    return frame[:at] + swapped + frame[at + 1 :]


def frames_of(venue_id: str, shared_data: Path) -> list[Entry]:
    """What was recorded (at most 5000 frames) and written by hand, repeated where that is too little to damage."""
    lines = [line for name in RECORDINGS[venue_id] for line in read_lines(shared_data / name)]
    recorded = [e for e in parse(lines) if isinstance(e, Entry)][:5000]
    if venue_id in SIMULATED:
        recorded += [
            Entry(at, frame) for at, frame in generate(venue_id, ["BTC"], START_NS, SIMULATED[venue_id], rate=50.0)
        ]
    written = [
        entry
        for path in sorted(FRAMES.glob(f"{venue_id}/*.frames.jsonl"))
        for entry in parse(path.read_bytes().splitlines())
        if isinstance(entry, Entry)
    ]
    entries = recorded + written
    return entries * (1 + 2 * DAMAGED // len(entries))


def damaged_run(venue_id: str, shared_data: Path) -> Iterator[tuple[bytes, list[Event | Send | Fetch | Reconnect]]]:
    """(frame, outputs) of a run in which a thousand frames, spread over it, are damaged."""
    rng = random.Random(20260821)
    entries = frames_of(venue_id, shared_data)
    chosen = set(rng.sample(range(len(entries)), DAMAGED))
    facts = venue(venue_id)
    session = facts.reader(facts.known_instruments())
    for index, entry in enumerate(entries):
        frame = damage(entry.frame, rng) if index in chosen and entry.frame else entry.frame
        outputs = session.receive(frame, entry.received_ns)
        yield frame, [*outputs]
        # Whoever subscribes again is sent a snapshot; here the first one again.
        asked = [output.frame for output in outputs if isinstance(output, Send)]
        for request in asked:
            for answer in snapshots_for(request, entries):
                outputs = session.receive(answer, entry.received_ns)
                asked += [output.frame for output in outputs if isinstance(output, Send)]
                yield answer, [*outputs]
        yield b"", [*session.tick(entry.received_ns)]


def snapshots_for(request: bytes, entries: list[Entry]) -> list[bytes]:
    """What a venue sends that sends its book on subscription."""
    wanted = msgspec.json.decode(request)
    starts: list[bytes] = []
    acknowledged: list[bytes] = []
    if "channels" in wanted:
        ids, is_held = wanted["product_ids"], wanted["type"] == "subscribe"
        rows = [{"name": name, "product_ids": ids} for name in wanted["channels"] if is_held]
        acknowledged = [msgspec.json.encode({"type": "subscriptions", "channels": rows})]
        starts = [b'{"type":"snapshot","product_id":"%s"' % product.encode() for product in ids if is_held]
    if wanted.get("event") == "subscribe":
        starts = [b'{"feed":"book_snapshot","product_id":"%s"' % product.encode() for product in wanted["product_ids"]]
    if wanted.get("op") == "subscribe" and "topic" in wanted["args"][0]:
        ends = [
            b'"symbol":"%s","topic":"books"},"action":"snapshot"' % asked["symbol"].encode() for asked in wanted["args"]
        ]
        return [next(entry.frame for entry in entries if end in entry.frame) for end in ends]
    if wanted.get("op") == "subscribe":
        arg, topic = b'{"arg":{"channel":"books","instId":"%s"},"action":"snapshot"', b'{"topic":"%s","type":"snapshot"'
        starts = [
            topic % asked.encode() if isinstance(asked, str) else arg % asked["instId"].encode()
            for asked in wanted["args"]
        ]
    return acknowledged + [entry.frame for start in starts for entry in entries[:50] if entry.frame.startswith(start)]


def is_list(venue_id: str, frame: bytes) -> bool:
    try:
        return bool(venue(venue_id).parse_instruments(frame).refused)
    except FrameError:
        return b'"instrument' in frame  # a channel of that name


@pytest.mark.parametrize("venue_id", RECORDINGS)
def test_a_refused_frame_is_one_dead_letter_with_every_byte(venue_id: str, shared_data: Path) -> None:
    """Of a list only the rows that are refused."""
    refused = 0
    for frame, outputs in damaged_run(venue_id, shared_data):
        letters = [output for output in outputs if isinstance(output, DeadLetter)]
        assert len(letters) <= 1 or is_list(venue_id, frame)
        for letter in letters:
            refused += 1
            assert letter.frame == frame or (letter.frame in frame and is_list(venue_id, frame))
            assert letter.reason.replace("_", "").isalpha()
            assert letter.error
    assert refused > DAMAGED / 3


@pytest.mark.parametrize("venue_id", RECORDINGS)
def test_what_comes_out_of_damaged_frames_is_sound(venue_id: str, shared_data: Path) -> None:
    published = 0
    for _, outputs in damaged_run(venue_id, shared_data):
        for output in outputs:
            if isinstance(output, Send | Fetch | Reconnect):
                continue
            message = decoded(output)
            if isinstance(output, Book | Trade):
                published += 1
                check_sound(message)
    assert published > 100


def decoded(event: Event) -> dict[str, object]:
    message = msgspec.json.decode(encode(event)[1])
    message["type"] = {Book: "book", Trade: "trade"}.get(type(event), "other")
    return dict(message)


@pytest.mark.parametrize("venue_id", RECORDINGS)
def test_damaged_lines_never_stop_normalize(venue_id: str, shared_data: Path) -> None:
    rng = random.Random(7)
    lines = [b"%d %s" % (e.received_ns, e.frame) for e in frames_of(venue_id, shared_data)[:3000]]
    damaged = [damage(line, rng) for line in lines[:DAMAGED]] + lines[DAMAGED:]
    _, summary = replay(venue_id, damaged)
    assert summary.events["dead_letter"] == sum(summary.dead_letters.values()) > 0
    assert list(normalize(venue_id, damaged)) == list(normalize(venue_id, damaged))
