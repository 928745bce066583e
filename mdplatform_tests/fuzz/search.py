"""Coverage-guided search: an input that leads through lines of ours that no other did is kept and built upon."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from mdplatform_tests.fuzz.mutation import mutate

CORPUS = Path(__file__).parent / "corpus"
OURS = str(Path(__file__).parents[2] / "mdplatform")

MOST_SHORTENINGS = 60  # runs of each kind

Target = Callable[[bytes], None]
Steps = set[tuple[int, int]]  # which line came after which


class Finding(Exception):
    """An input that a target does not survive."""

    def __init__(self, target: str, data: bytes, error: BaseException) -> None:
        super().__init__(target, data, error)
        self.target, self.data, self.error = target, data, error

    def __str__(self) -> str:
        return f"{self.target} fails with {self.error!r} on {self.data[:400]!r}"


class Search:
    """What is known about one target: the inputs that are built upon and the steps that they lead through."""

    def __init__(self, name: str, target: Target, seeds: Iterable[bytes], code: str = OURS) -> None:
        """``code``: whose steps count, as the beginning of file names."""
        self.name = name
        self._code = code
        self._target = target
        self._rng = random.Random(name)
        self._steps: Steps = set()
        self._inputs: list[bytes] = []
        self.kept: list[bytes] = []  # found by this search
        self.tries = 0
        for seed in seeds:
            self.add(seed)

    def add(self, data: bytes) -> bool:
        """Build upon this input too; whether it leads where no other did. Raises Finding."""
        steps = self._run(data)
        is_new = not steps <= self._steps
        self._steps |= steps
        self._inputs.append(data)
        return is_new

    @property
    def reach(self) -> int:
        """How many steps are known."""
        return len(self._steps)

    def run(self, tries: int, until: float = float("inf"), shortens: bool = True) -> None:
        """So many tries, or until the monotonic clock says ``until``. Raises Finding.

        ``shortens`` False: what is found need not be short, because nobody will keep it.
        """
        for _ in range(tries):
            if time.monotonic() > until:
                return
            self.tries += 1
            data = mutate(self._rng.choice(self._inputs), self._inputs, self._rng)
            new = self._run(data) - self._steps
            if new:
                if shortens:
                    data = self._shortened(data, new)
                self.add(data)
                self.kept.append(data)

    def _run(self, data: bytes) -> Steps:
        """The steps through our code; raises Finding."""
        steps: Steps = set()
        last = 0

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            if event == "line":
                here = hash((frame.f_code.co_filename, frame.f_lineno))
                steps.add((last, here))
                last = here
            return line

        def call(frame: FrameType, _: str, __: Any) -> Any:
            return line if frame.f_code.co_filename.startswith(self._code) else None

        before = sys.gettrace()
        sys.settrace(call)
        try:
            self._target(data)
        except Exception as error:
            raise Finding(self.name, data, error) from error
        finally:
            sys.settrace(before)
        return steps

    def _shortened(self, data: bytes, wanted: Steps) -> bytes:
        """Without most of what it does not need to lead through ``wanted``: lines first, then pieces of them."""
        for mark in (b"\n", b""):
            data = self._without_parts(data, wanted, mark)
        return data

    def _without_parts(self, data: bytes, wanted: Steps, mark: bytes) -> bytes:
        """Parts between ``mark`` (each byte, where it is empty) are left out, half of them first, then fewer."""
        parts = data.split(mark) if mark else [data[i : i + 1] for i in range(len(data))]
        size, left = len(parts) // 2, MOST_SHORTENINGS
        while size and left:
            at = 0
            while at < len(parts) and left:
                left -= 1
                fewer = parts[:at] + parts[at + size :]
                if wanted <= self._run(mark.join(fewer)):
                    parts = fewer
                else:
                    at += size
            size //= 2
        return mark.join(parts)


def stored(name: str) -> list[bytes]:
    """The inputs that are kept for a target: one JSON string a line, each character a byte."""
    path = CORPUS / f"{name}.jsonl"
    return [json.loads(line).encode("latin-1") for line in path.read_text().splitlines()] if path.exists() else []


def store(name: str, inputs: Iterable[bytes]) -> None:
    """Keep these and no others, the shortest first."""
    lines = [json.dumps(data.decode("latin-1")) for data in sorted(set(inputs), key=lambda data: (len(data), data))]
    path = CORPUS / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def once_fatal(name: str) -> str:
    """The name under which inputs are kept, for ever, that a target did not survive."""
    return f"once_fatal/{name}"
