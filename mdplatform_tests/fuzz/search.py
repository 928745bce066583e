"""Coverage-guided search with Hypothesis: an input that leads through lines of ours that no other did is built upon."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from mdplatform_tests.fuzz.mutation import mutated

CORPUS = Path(__file__).parent / "corpus"
OURS = str(Path(__file__).parents[2] / "mdplatform")
ROUND = 100  # examples; what they found is built upon in the next round

Target = Callable[[bytes], None]
Steps = set[tuple[int, int]]  # which line came after which

_quietly = settings(
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
)


class Finding(Exception):
    """An input that a target does not survive, as short as Hypothesis could make it."""

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
        self._steps: Steps = set()
        self._inputs: list[bytes] = []
        self.kept: list[bytes] = []  # found by this search
        self.tries = 0
        for data in seeds:
            self.add(data)

    def add(self, data: bytes) -> bool:
        """Build upon this input too; whether it leads where no other did. Raises Finding."""
        is_new = self._leads_on(data)
        self._inputs.append(data)
        return is_new

    @property
    def reach(self) -> int:
        """How many steps are known."""
        return len(self._steps)

    def run(self, tries: int) -> None:
        """So many tries; the same for the same name and inputs. Raises Finding."""
        for done in range(0, tries, ROUND):
            new: list[bytes] = []
            self._round(min(ROUND, tries - done), new)
            self._inputs += new
            self.kept += new

    def _round(self, tries: int, new: list[bytes]) -> None:
        @seed(f"{self.name} {self.tries}")
        @settings(_quietly, max_examples=tries)
        @given(mutated(tuple(self._inputs)))
        def survives(data: bytes) -> None:
            self.tries += 1
            if self._leads_on(data):
                new.append(data)

        survives()

    def _leads_on(self, data: bytes) -> bool:
        """Run the target; whether it took a step that is new. Raises Finding."""
        steps = self._run(data)
        is_new = not steps <= self._steps
        self._steps |= steps
        return is_new

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
    """The name under which inputs are kept, forever, that a target did not survive."""
    return f"once_fatal/{name}"
