"""The house as its imports draw it: ``python -m mdplatform_tests.import_graph`` prints rooms, floors, arrows, circles.

A room is a package or a file directly in ``mdplatform``. It stands one floor above the highest room that it imports;
an arrow goes from a room to one that it imports; a circle is a set of files of which each imports, by way of the
others, itself. Imports inside functions count: they make a reader follow them, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

PACKAGE = "mdplatform"
ROOT = Path(__file__).parents[1]

Graph = Mapping[str, frozenset[str]]  # a name -> the names that it imports


@dataclass(frozen=True)
class Room:
    """One row of the printed table."""

    name: str
    floor: int
    files: int
    lines: int
    imports: tuple[str, ...]


def module_graph() -> Graph:
    """Each module of the package -> the modules of the package that it imports."""
    found = grimp.build_graph(PACKAGE, cache_dir=None)
    return {module: frozenset(found.find_modules_directly_imported_by(module)) for module in found.modules}


def room_graph(modules: Graph) -> Graph:
    """Each room -> the other rooms that its modules import."""
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for module, imported in modules.items():
        if module != PACKAGE:
            rooms[_room(module)] |= {_room(other) for other in imported if other != PACKAGE} - {_room(module)}
    return {room: frozenset(imported) for room, imported in rooms.items()}


def circles(graph: Graph) -> list[set[str]]:
    """The sets of names that import each other: strongly connected, of two names or more."""
    reached = {name: _reached(graph, name) for name in graph}
    together = {name: frozenset(o for o in reached[name] if name in reached[o]) for name in graph}
    return [set(names) for names in set(together.values()) if len(names) > 1]


def rooms() -> list[Room]:
    """All rooms, the lowest floor first. Raises graphlib.CycleError where rooms form a circle."""
    graph = room_graph(module_graph())
    floors: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        floors[name] = 1 + max((floors[other] for other in graph[name]), default=0)
    made = [Room(name, floor, *_size(name), tuple(sorted(graph[name]))) for name, floor in floors.items()]
    return sorted(made, key=lambda room: (room.floor, room.name))


def _room(module: str) -> str:
    return module.split(".")[1]


def _reached(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), frozenset()) - reached
        reached |= new
        waiting += new
    return reached


def _size(room: str) -> tuple[int, int]:
    """Files and lines of a room."""
    place = ROOT / PACKAGE / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return len(files), sum(len(file.read_text().splitlines()) for file in files)


def main() -> None:
    found = rooms()
    print(f"{'floor':>5}  {'room':<14} {'files':>5} {'lines':>7}  imports")
    for room in found:
        print(f"{room.floor:>5}  {room.name:<14} {room.files:>5} {room.lines:>7,}  {' '.join(room.imports)}")
    round_about = circles(module_graph())
    arrows = sum(len(room.imports) for room in found)
    print(f"\n{len(found)} rooms on {found[-1].floor} floors, {arrows} arrows, {len(round_about)} circles of files")
    for names in round_about:
        print(f"  circle: {' '.join(sorted(names))}")


if __name__ == "__main__":
    main()
