"""The reader of a venue's recordings, where the venue has several kinds of socket: a session for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from mdplatform.core.session import Output, Request
from mdplatform.venuekit.base_session import SocketSession


class Recording:
    """A venue adds ``receive``: which of the ``sessions`` reads a frame."""

    def __init__(self, exchange: str, sessions: Sequence[SocketSession[Any]]) -> None:
        self.exchange = exchange
        self.sessions = sessions

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        """As a session's."""
        raise NotImplementedError

    @property
    def ignored(self) -> Counter[str]:
        return sum((session.ignored for session in self.sessions), Counter())

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        return []  # a recording subscribes to nothing

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        return []

    def publish_changes(self, wanted: Callable[[str], bool]) -> None:
        """See ``PublishesBookChanges``."""
        for session in self.sessions:
            session.publish_changes(wanted)

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        answers = (session.recall(path, body, received_ns) for session in self.sessions)
        return next((answer for answer in answers if answer is not None), None)

    def tick(self, now_ns: int) -> list[Output]:
        return [output for session in self.sessions for output in session.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        return [output for session in self.sessions for output in session.closed(cause, now_ns)]
