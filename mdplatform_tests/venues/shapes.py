"""Writes ``mdplatform/venuekit/known_fields``: ``python -m mdplatform_tests.venues.shapes [--all] [VENUE ...]``.

Adds the fields of each venue's golden frames; with --all it begins from nothing, and takes the recordings beside the
checkout and what the simulated venue sends as well. Frames that become dead letters are left out. A field that a venue
was seen to send becomes known by a golden frame that holds it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from mdplatform.collector import CollectorConfig
from mdplatform.core.codec import decode_raw
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import DeadLetter
from mdplatform.core.session import select_for_subscription
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venuekit import shapes
from mdplatform.venues import venue, venue_ids
from mdplatform_tests.collector.rig import collecting, simulated

FRAMES = Path(__file__).parents[1] / "frames"
RECORDED = Path(__file__).parents[2].parent / "shared" / "data"
KNOWN = Path(shapes.__file__).parent / "known_fields"
# Recordings of venue ids that share a folder: what their files' names hold.
PARTS = {
    "binance": ("BINANCE.ws", "hft_spot"),
    "binance-usdm": ("BINANCE_FUTURES.ws", "hft_usdm"),
    "binance-coinm": ("BINANCE_DELIVERY.ws", "hft_cm"),
}
SIMULATED_S = 4.0


def understood(venue_id: str, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The frames of a recording that a parser takes."""
    player = Player(venue_id)
    for entry in parse(lines):
        if isinstance(entry, Entry) and not any(isinstance(event, DeadLetter) for event in player.take(entry)):
            yield entry.frame


def golden(venue_id: str) -> Iterator[bytes]:
    """Every sound frame of a venue's golden files."""
    for file in sorted((FRAMES / venue_id).glob("*.frames.jsonl")):
        yield from understood(venue_id, file.read_bytes().splitlines())


def recorded(venue_id: str) -> Iterator[bytes]:
    """Every frame of the recordings of a venue, whether it is of an instrument that is known or not."""
    folder = RECORDED / venue_id.partition("-")[0]
    named = PARTS.get(venue_id, (".ws.",))
    for file in sorted(folder.glob("*")) if folder.is_dir() else []:
        if file.is_file() and any(part in file.name for part in named):
            with suppress(ConfigError):  # a recording that was cut short counts as far as it goes
                yield from (entry.frame for entry in parse(read_lines(file)) if isinstance(entry, Entry))


async def simulated_frames(venue_id: str) -> list[bytes]:
    """What the simulated venue sends for all of its channels."""
    facts = venue(venue_id)
    async with simulated(venues=(venue_id,), levels=60) as simulator:
        listed = simulator.world.exchanges[venue_id].markets.instruments.values()
        symbols = tuple(dict.fromkeys(one.canonical for one in listed))[:6]
        frames: list[bytes] = []
        for channels in _channel_sets(venue_id):
            config = CollectorConfig(
                venue=venue_id,
                symbols=symbols,
                channels=channels,
                ws_url=simulator.ws_url(venue_id),
                rest_url=simulator.rest_url(venue_id),
                keep_raw=True,
            )
            with suppress(ConfigError):  # channels that cannot be had together, or not of these instruments
                async with collecting(config) as running:
                    await asyncio.sleep(SIMULATED_S)
                    if running.task.done():
                        running.task.result()
                frames += [decode_raw(message.value).frame for message in running.frames(facts.id)]
        return frames


def _channel_sets(venue_id: str) -> Iterator[tuple[str, ...]]:
    facts = venue(venue_id)
    yield facts.default_channels
    for channel in facts.channels:
        if channel.name not in facts.default_channels:
            with suppress(ConfigError):
                select_for_subscription(facts.channels, (channel.name,))
                yield (channel.name,)


def fields_of(frames: Iterable[bytes]) -> set[str]:
    """The fields of all of them together."""
    found: set[str] = set()
    looked: set[bytes] = set()
    for frame in frames:
        if frame not in looked:
            looked.add(frame)
            found |= shapes.fields(frame) or frozenset()
    return found


def main(names: list[str], anew: bool) -> None:
    """Write the files of these venue ids, or of all."""
    KNOWN.mkdir(exist_ok=True)
    for venue_id in names or venue_ids():
        found = fields_of(golden(venue_id))
        if anew:
            found |= fields_of(recorded(venue_id)) | fields_of(asyncio.run(simulated_frames(venue_id)))
        else:
            found |= shapes.known(venue_id)
        (KNOWN / f"{venue_id}.txt").write_text("".join(f"{name}\n" for name in sorted(found)))
        print(f"{venue_id}: {len(found)} fields")


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--all"], "--all" in sys.argv)
