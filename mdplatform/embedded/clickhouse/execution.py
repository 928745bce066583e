"""Running one query on the engine, piece by piece. Everything here blocks: it is called on worker threads."""

import time
import uuid
from contextlib import suppress
from typing import Any

from mdplatform.embedded.clickhouse.access import Users
from mdplatform.embedded.clickhouse.compression import Codec, Plain
from mdplatform.embedded.clickhouse.engine import Connection, Engine, comment
from mdplatform.embedded.clickhouse.errors import BAD_ARGUMENTS, ClickHouseError
from mdplatform.embedded.clickhouse.formats import ARROW_STREAM, JOINABLE, ArrowJoiner
from mdplatform.embedded.clickhouse.native import BLOCK_INFO_REVISION, Transcoder
from mdplatform.embedded.clickhouse.prepare import Kept, begins_again, kept, prepare, quoted, state
from mdplatform.embedded.clickhouse.request import Query
from mdplatform.embedded.clickhouse.sessions import Session, Sessions
from mdplatform.embedded.clickhouse.summary import Summary

# What is gathered before the answer begins, and then for each piece; an error until then is a proper error answer.
PIECE_BYTES = 1 << 20
PIECE_S = 0.2
# An answer of so few rows is run whole. A stream without a row gives no head either, and the statement has to be run
# again for it: to plan most statements costs more than to run them.
FEW_ROWS = 100


class Execution:
    """One statement from connection to last byte: `begin`, then `read` until it has `ended`; `finish` if that is never.

    With the last piece connection, session and data are given back already: a client that has its answer may use the
    session again at once.
    """

    def __init__(self, engine: Engine, sessions: Sessions, users: Users, query: Query) -> None:
        self._engine, self._sessions, self._users = engine, sessions, users
        self.query = query
        self.mark = uuid.uuid4().hex
        self.summary = Summary()
        self.ended = False  # whether everything has been read
        self.finished = False
        self._session: Session | None = None
        self._connection: Connection | None = None
        self._stream: Any = None
        self._undo: list[str] = []
        self._joiner: Codec = Plain()

    def begin(self) -> bytes:
        """Run the statement up to its first piece, which may be all. Raises Refusal and ClickHouseError."""
        first = self._begin()
        if self.ended:
            self.finish()
        return first

    def read(self) -> bytes:
        """The next piece, about a megabyte, until `ended`. Raises ClickHouseError for an error in mid-stream."""
        piece = self._read()
        if self.ended:
            self.finish()
        return piece

    def _begin(self) -> bytes:
        connection = self._connection = self._connect()
        if self._session is not None:
            self._undo = state(connection, self.query)
        before = Kept()
        if self._session is not None and begins_again(self.query, self._session):
            before = kept(connection)
            connection = self._connection = self._sessions.begin_again(self._session)
        prepare(connection, self.query, self._users, self._session, before)
        statement, form = self.query.statement, self.query.format
        if form == ARROW_STREAM:
            self._joiner = ArrowJoiner()
        elif form == "Native" and self.query.parameters.revision >= BLOCK_INFO_REVISION:
            self._joiner = Transcoder()
        if statement.data_at is not None:
            return self._insert(connection)
        if statement.selects and (form in JOINABLE or form == ARROW_STREAM) and not self._gives_few_rows():
            return self._begin_stream(connection)
        return self._run_whole(connection)

    def _gives_few_rows(self) -> bool:
        limit = self.query.statement.limit or ""
        stated = self.query.parameters.values.get(limit, limit)
        return stated.isdecimal() and int(stated) <= FEW_ROWS

    def _read(self) -> bytes:
        pieces, size, until = [], 0, time.monotonic() + PIECE_S
        while size < PIECE_BYTES and self._connection is not None:
            piece = self._connection.fetch(self._stream)
            if piece is None or not piece.size():
                self.ended, self._stream = True, None
                pieces.append(self._joiner.flush())
                break
            self.summary.add(piece)
            pieces.append(self._joiner.write(piece.bytes()))
            size += piece.size()
            if time.monotonic() > until:
                break
        return b"".join(pieces)

    def finish(self) -> None:
        """Give back connection, session and data; after an abandoned stream too. May be called again."""
        self.finished = True
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._stream is not None:
                with suppress(RuntimeError):
                    connection.abandon(self._stream)
                self._stream = None
            if self._session is None:
                connection.close()
            else:
                self._leave_session(connection, self._session)
        self.query.close()

    def _connect(self) -> Connection:
        parameters = self.query.parameters
        if not parameters.session_id:
            return self._engine.connect()
        self._session = self._sessions.acquire(
            self.query.user, parameters.session_id, parameters.session_seconds, parameters.session_must_exist
        )
        return self._session.connection

    def _leave_session(self, connection: Connection, session: Session) -> None:
        for statement in self._undo:
            with suppress(ClickHouseError):
                connection.run(statement)
        self._sessions.release(session)

    def _sql(self) -> bytes:
        return self.query.statement.sql + b"\n" + comment(self.mark).encode()

    def _run_whole(self, connection: Connection) -> bytes:
        result = connection.run(self._sql(), self.query.format, self.query.parameters.values)
        self.ended = True
        self.summary.add(result)
        return self._joiner.write(result.bytes()) + self._joiner.flush() if result.size() else b""

    def _begin_stream(self, connection: Connection) -> bytes:
        """Stream, or run whole what the engine cannot stream, and what gave no piece: its head may still be due."""
        try:
            self._stream = connection.open_stream(self._sql(), self.query.format, self.query.parameters.values)
            first = self._read()
        except ClickHouseError as error:
            self._stream = None
            if error.code != BAD_ARGUMENTS or "Streaming query is not supported" not in str(error):
                raise
            return self._run_whole(connection)
        if not first and self.query.format in (ARROW_STREAM, "Native"):
            return self._run_whole(connection)
        return first

    def _insert(self, connection: Connection) -> bytes:
        """INSERT with its data read from memory by path; the engine's clause must stand before SETTINGS."""
        statement, data = self.query.statement, self.query.data
        self.ended = True
        if data is None or not data.size:
            return b""
        # The mark cannot stand last: what follows the format's name would be data.
        source = f" {comment(self.mark)} FROM INFILE {quoted(data.path)} ".encode()
        tail = f" FORMAT {statement.format}".encode()
        sql = statement.sql + source + statement.settings + tail
        self.summary.add_written(connection.run(sql, values=self.query.parameters.values))
        return b""
