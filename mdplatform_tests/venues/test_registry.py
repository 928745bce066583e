"""Venues by id, and the files that each of them always has."""

import ast
from pathlib import Path

import pytest

from mdplatform import venues
from mdplatform.core.errors import ConfigError
from mdplatform.venues import venue, venue_ids

FOLDER = Path(venues.__file__).parent
FILES = {"__init__", "channels", "instruments", "market", "session", "wire"}


def modules() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*/**/*.py"))


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


@pytest.mark.parametrize("venue_id", venue_ids())
def test_a_venue_has_the_files_that_all_have(venue_id: str) -> None:
    place = FOLDER.joinpath(*type(venue(venue_id)).__module__.split(".")[2:])
    folders = [folder for folder in (place, *place.parents) if folder.is_relative_to(FOLDER) and folder != FOLDER]
    within = [inner for inner in folders[-1].iterdir() if inner.is_dir() and inner.name != "__pycache__"]
    found = {path.stem for folder in {*folders, *within} if folder.is_dir() for path in folder.glob("*.py")}
    assert found >= FILES


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_another_file_says_why_it_is_one(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert path.stem in FILES or "a file of its own" in docstring.lower()


@pytest.mark.parametrize("venue_id", venue_ids())
def test_the_readme_says_what_a_venue_sends_of_liquidations(venue_id: str) -> None:
    facts = venue(venue_id)
    lines = (Path(__file__).parents[2] / "README.md").read_text().splitlines()
    (row,) = [line for line in lines if line.startswith("| `") and f"`{venue_id}`" in line.split("|")[1]][:1]
    assert f"| {facts.liquidations} |" in row
    sends = any(channel.kind == "liquidations" for channel in facts.channels)
    assert sends is not facts.liquidations.startswith("none")
