"""Builds that are killed, each a process of its own: run by test_kills.py.

killed_builds.py each-step PREPARED ROOT   copies PREPARED to ROOT/1, ROOT/2, ... and builds in each, killed by
                                           SIGKILL before the 1st, 2nd ... step on its files, until one ends
killed_builds.py waiting ADDRESS           builds in ADDRESS, says "waiting" amid its rows and waits forever
killed_builds.py by-lines                  builds in the address that each line of stdin is
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pyarrow as pa

from mdplatform.archive.parquet import ROW_GROUP
from mdplatform.archive.publish import publish
from mdplatform_tests.archive.rows import ORIGIN, TRADES, trades
from mdplatform_tests.killing import work_by_lines

NEW_ROWS = 8
STEPS = ("open", "os.rename", "os.remove", "os.chmod", "os.mkdir")


def each_step(prepared: Path, root: Path) -> None:
    for step in count(1):
        place = root / str(step)
        shutil.copytree(prepared, place)
        child = os.fork()
        if child == 0:
            _die_before(step, place)
            publish(place, TRADES, [trades(NEW_ROWS)], ORIGIN)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


def _die_before(step: int, place: Path) -> None:
    numbers = count(1)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and str(arguments[0]).startswith(str(place)) and next(numbers) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def waiting(address: str) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield trades(ROW_GROUP)
        yield trades(1, 1723114799999)  # by now the first row group can be written
        print("waiting", flush=True)
        sys.stdin.read()

    publish(address, TRADES, rows(), ORIGIN)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["each-step", prepared, root]:
            each_step(Path(prepared), Path(root))
        case ["waiting", address]:
            waiting(address)
        case ["by-lines"]:
            work_by_lines(lambda address: publish(address, TRADES, [trades(NEW_ROWS)], ORIGIN))
