"""A consumer in a thread for the length of a test, watched by a deadline."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

DEADLINE_S = 60.0


class Run:
    """A running consumer; ``check`` in every loop that waits for something it does."""

    def __init__(self, main: Callable[[threading.Event], None]) -> None:
        self.stop = threading.Event()
        self._error: BaseException | None = None
        self._deadline = time.monotonic() + DEADLINE_S
        self.thread = threading.Thread(target=self._run, args=(main,))

    def check(self) -> None:
        """Raises what the consumer raised, or TimeoutError past the deadline; gives the consumer a moment."""
        if self._error:
            raise self._error
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"waited {DEADLINE_S:g} s in vain")
        self.stop.wait(0.02)

    def _run(self, main: Callable[[threading.Event], None]) -> None:
        try:
            main(self.stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._error = error


@contextmanager
def running(main: Callable[[threading.Event], None]) -> Iterator[Run]:
    run = Run(main)
    run.thread.start()
    try:
        yield run
    finally:
        run.stop.set()
        run.thread.join(DEADLINE_S)
    if run._error:
        raise run._error
