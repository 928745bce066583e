"""A connection states nothing of feeds that another one carries: what it never subscribed to would be down for good."""

from collections import Counter

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.session import Session
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue, venue_ids
from mdplatform_tests.venues.recordings_digest import sessions

Feed = tuple[str, str]  # symbol, channel


def stated(session: Session) -> set[Feed]:
    """The feeds of which it says something while its connection comes, goes, and stays away for a minute."""
    outputs = session.connected("first", SECOND)
    outputs += session.closed("half_open", 2 * SECOND)
    for second in range(3, 60):
        outputs += session.tick(second * SECOND)
    outputs += session.connected("second", 60 * SECOND)
    outputs += session.closed("stopped", 61 * SECOND)
    return {(output.symbol, output.channel) for output in outputs if isinstance(output, FeedStatus)}


def instruments(venue_id: str) -> Instruments:
    """A few of each kind that the venue has."""
    by_kind: dict[Kind, list[Instrument]] = {}
    for instrument in venue(venue_id).known_instruments():
        by_kind.setdefault(instrument.kind, []).append(instrument)
    return Instruments(venue_id, [each for found in by_kind.values() for each in found[:2]])


@pytest.mark.parametrize("venue_id", venue_ids())
def test_a_connection_states_the_feeds_of_its_channels_alone(venue_id: str) -> None:
    facts, known = venue(venue_id), instruments(venue_id)
    for channel in facts.channels:
        for session in sessions(venue_id, known, (channel.name,)):
            assert {kind for _, kind in stated(session)} <= {channel.kind}, channel.name


@pytest.mark.parametrize("venue_id", venue_ids())
def test_no_feed_is_stated_by_two_connections(venue_id: str) -> None:
    planned = sessions(venue_id, instruments(venue_id), venue(venue_id).default_channels)
    times = Counter(feed for session in planned for feed in stated(session))
    assert len(times) > 1
    assert [feed for feed, count in times.items() if count > 1] == []
