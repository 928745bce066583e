"""docs/adding_a_venue.md names what a venue is made of: all of it is there, for the venue that the page describes."""

import re
from pathlib import Path

import pytest

from mdplatform.venues import venue_ids

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding_a_venue.md").read_text()
EXAMPLE = "cryptocom"
NAMED = sorted(set(re.findall(r"^\| `([\w./<>*-]+)` \|", PAGE, re.MULTILINE)))
FILES = [name for name in NAMED if "/" in name or name.endswith(".md")]
# Lists of every venue.
LISTS = ["README.md", "benchmarks/results/subscribe_many.md", "mdplatform_tests/venues/test_mutations.py"]


@pytest.mark.parametrize("name", FILES)
def test_what_the_page_names_is_there_and_of_the_venue(name: str) -> None:
    found = list(ROOT.glob(name.replace("<venue>", EXAMPLE)))
    assert found
    assert "<venue>" in name or any(EXAMPLE in path.read_text() for path in found)


@pytest.mark.parametrize("package", ["mdplatform/venues", "mdplatform/simulator/venues"])
def test_the_page_names_every_file_of_its_venue(package: str) -> None:
    there = {f"{package}/<venue>/{path.name}" for path in (ROOT / package / EXAMPLE).glob("*.py")}
    assert there == {name for name in NAMED if name.startswith(f"{package}/<venue>/")}


@pytest.mark.parametrize("name", LISTS)
def test_no_list_of_venues_forgets_one(name: str) -> None:
    text = (ROOT / name).read_text()
    assert [venue_id for venue_id in venue_ids() if venue_id not in text] == []
