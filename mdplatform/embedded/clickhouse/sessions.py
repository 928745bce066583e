"""Sessions: connections kept between requests, with their settings, database and temporary tables."""

import threading
import time
from dataclasses import dataclass, field

from mdplatform.embedded.clickhouse.engine import Connection, Engine
from mdplatform.embedded.clickhouse.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, Refusal


@dataclass(slots=True)
class Session:
    connection: Connection
    seconds: int = 60  # how long it outlives its last request
    busy: bool = True
    has_user: bool = False  # whether its user was set on the connection
    expires: float = field(default=float("inf"))  # monotonic clock


class Sessions:
    """All sessions by user and id. Thread-safe; one request at a time holds a session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._held: dict[tuple[str, str], Session] = {}

    def acquire(self, user: str, name: str, seconds: int, must_exist: bool) -> Session:
        """The session, locked for the caller. Raises Refusal: 372 unknown with `must_exist`, 373 in use."""
        self.expire()
        with self._guard:
            session = self._held.get((user, name))
            if session is None and must_exist:
                raise Refusal(SESSION_NOT_FOUND, "Session not found.")
            if session is not None and session.busy:
                raise Refusal(SESSION_IS_LOCKED, "Session is locked by a concurrent client.")
            if session is None:
                session = self._held[user, name] = Session(self._engine.connect())
            session.busy, session.seconds = True, seconds
            return session

    def begin_again(self, session: Session) -> Connection:
        """Another connection for the session, on which no user was set yet."""
        before, session.connection = session.connection, self._engine.connect()
        session.has_user = False
        before.close()
        return session.connection

    def release(self, session: Session) -> None:
        with self._guard:
            session.busy, session.expires = False, time.monotonic() + session.seconds

    def expire(self, everything: bool = False) -> None:
        """Close the sessions that nobody used for their time, or all of them."""
        now = time.monotonic()
        with self._guard:
            over = [key for key, s in self._held.items() if everything or (not s.busy and s.expires < now)]
            closing = [self._held.pop(key) for key in over]
        for session in closing:
            session.connection.close()
