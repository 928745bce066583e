"""The fields that are known of each venue."""

import pytest

from mdplatform.venuekit import shapes
from mdplatform.venues import venue_ids
from mdplatform_tests.venues.shapes import golden


@pytest.mark.parametrize("venue_id", venue_ids())
def test_every_field_of_the_golden_frames_is_known(venue_id: str) -> None:
    """Where not: ``python -m mdplatform_tests.venues.shapes VENUE``."""
    unfamiliar = {name for frame in golden(venue_id) for name in shapes.fields(frame) or ()} - shapes.known(venue_id)
    assert not unfamiliar
