"""``python -m mdplatform_tests.fuzz [--seconds S] [TARGET ...]``: search longer, and keep what was found.

Inputs that lead through new code go to ``corpus/TARGET.jsonl``, where every later search and the tests begin; those
that lead nowhere of their own any more are dropped. An input that a target does not survive goes to ``once_fatal`` and
stays: the tests fail until the defect is gone, and again should it come back.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from mdplatform_tests.fuzz.search import ROUND, Finding, Search, once_fatal, store, stored
from mdplatform_tests.fuzz.targets import NAMES, seeds, target

LARGEST_KEPT = 1024  # bytes: the corpus is to stay small


def main() -> int:
    parser = argparse.ArgumentParser("mdplatform_tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(NAMES))
    given = parser.parse_args()
    if unknown := set(given.targets) - set(NAMES):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    logging.disable(logging.CRITICAL)  # every refused message would be a line
    return 1 if [name for name in given.targets or NAMES if not survives(name, given.seconds)] else 0


def survives(name: str, seconds: float) -> bool:
    """Search one target, keep what was found, and say so."""
    before, until = stored(name), time.monotonic() + seconds
    try:
        search = Search(name, target(name), seeds(name))
        of_use = [data for data in sorted(before, key=len) if search.add(data)]
        while time.monotonic() < until:
            search.run(ROUND)
    except Finding as found:
        fatal = once_fatal(name)
        store(fatal, [*stored(fatal), found.data])
        sys.stdout.write(f"{name}: {found}\n")
        return False
    found_now = [data for data in search.kept if len(data) <= LARGEST_KEPT]
    store(name, [*of_use, *found_now])
    dropped = len(before) - len(of_use)
    said = f"{search.tries} tries, {len(found_now)} inputs more, {dropped} less, {search.reach} steps"
    sys.stdout.write(f"{name}: {said}\n")
    sys.stdout.flush()
    return True


if __name__ == "__main__":
    sys.exit(main())
