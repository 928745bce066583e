"""Books from files that hold a venue's own frames: the changes that its own rules make of them, proven one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mdplatform.core.clock import MS
from mdplatform.core.errors import ArchiveError
from mdplatform.core.events import BookChange, DeadLetter, FeedStatus
from mdplatform.core.session import Output, PublishesBookChanges
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venues import venue

DEPTH = 1  # of the books themselves, which nobody takes
SENT = re.compile(rb'"ts"\s*:\s*(\d{13})\b')  # ms, when the venue sent the frame


def changes(frames: Iterable[bytes], instrument: Instrument, name: str) -> Iterator[BookChange]:
    """What each frame changed, a snapshot of all at the begin, after each snapshot of the venue, every ten minutes.

    Received when it was sent: nobody received it. Raises ArchiveError where an update does not follow the one before
    or a frame is not understood; ``name`` is that of the file.
    """
    session = venue(instrument.exchange).reader(Instruments(instrument.exchange, [instrument]), (), DEPTH)
    if not isinstance(session, PublishesBookChanges):
        raise ArchiveError(f"{name}: {instrument.exchange} states no changes of books")
    session.publish_changes(lambda symbol: True)
    started = False
    for number, frame in enumerate(frames, 1):
        sent = SENT.search(frame)
        if sent is None:
            raise ArchiveError(f"{name}: line {number} has no time: {frame[:60]!r}")
        for output in session.receive(frame, int(sent[1]) * MS):
            if isinstance(output, BookChange):
                started = True
                yield output
            elif started:
                _refuse_break(output, name, number)
        if not started:
            raise ArchiveError(f"{name} does not begin with a snapshot")


def _refuse_break(output: Output, name: str, number: int) -> None:
    if isinstance(output, DeadLetter):
        raise ArchiveError(f"{name}: line {number} is not understood: {output.error}")
    if isinstance(output, FeedStatus) and output.state != "valid":
        raise ArchiveError(
            f"{name}: line {number} does not follow the one before ({output.state}: {output.cause}, after "
            f"{output.last_sequence})"
        )
