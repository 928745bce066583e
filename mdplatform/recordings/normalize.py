"""A recording as JSON Lines: tape lines in, messages out. No broker, no socket, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mdplatform.core.codec import encode
from mdplatform.core.events import Event
from mdplatform.recordings.player import TYPES, Player, Summary
from mdplatform.recordings.tape import parse


def normalize(
    venue_id: str,
    lines: Iterable[bytes],
    *,
    channels: tuple[str, ...] = (),
    symbols: tuple[str, ...] = (),
    instruments: Sequence[bytes] = (),
    depth: int = 20,
    summary: Summary | None = None,
) -> Iterator[bytes]:
    """Messages without line ends, ``type`` first; options and errors as ``Player``'s, raised before a line is read."""
    player = Player(venue_id, channels=channels, symbols=symbols, instruments=instruments, depth=depth, summary=summary)
    return _messages(player, lines)


def _messages(player: Player, lines: Iterable[bytes]) -> Iterator[bytes]:
    for entry in parse(lines):
        yield from map(_line, player.take(entry))
    yield from map(_line, player.end())


def _line(event: Event) -> bytes:
    _, value = encode(event)
    return b'{"type":"%s",%s' % (TYPES[type(event)].encode(), value[1:])
