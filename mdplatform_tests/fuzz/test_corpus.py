"""Every input that was worth keeping is survived, and so are some new ones: the same each time, by a fixed seed."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from mdplatform_tests.fuzz.search import Search, once_fatal, stored
from mdplatform_tests.fuzz.targets import NAMES, SESSIONS, seeds, target

TRIES = {**dict.fromkeys(NAMES, 150), **dict.fromkeys(SESSIONS, 30)}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A refused message is logged; a thousand of them are a burden to pytest."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found_before_and_what_is_near_it_is_survived(name: str) -> None:
    inputs = [*stored(once_fatal(name)), *seeds(name), *stored(name)]
    Search(name, target(name), inputs).run(TRIES[name])
