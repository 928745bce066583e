"""Venues by id."""

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.venues import venue, venue_ids


@pytest.mark.parametrize("venue_id", venue_ids())
def test_a_venue_is_found_by_its_own_id(venue_id: str) -> None:
    facts = venue(venue_id)
    assert facts.id == venue_id
    assert set(facts.default_channels) <= {channel.name for channel in facts.channels}
    assert len(facts.known_instruments()) > 100
    assert all(request.path.startswith("/") for request in facts.instruments_requests())


def test_an_unknown_venue_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="unknown venue 'nowhere'; there are binance, "):
        venue("nowhere")
