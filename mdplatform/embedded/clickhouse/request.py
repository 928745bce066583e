"""An HTTP request of ClickHouse's protocol, read into one `Query`.

Protocol: clickhouse.com/docs/interfaces/http; which parameter means what is in `parameters.py`.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from mdplatform.embedded.clickhouse.access import READER, Users, authenticate, credentials, permit
from mdplatform.embedded.clickhouse.blocks import BlocksWithin, DamagedBlock
from mdplatform.embedded.clickhouse.compression import DAMAGED, Decoder, Undecoded, decoder
from mdplatform.embedded.clickhouse.errors import (
    BAD_ARGUMENTS,
    READONLY,
    SYNTAX_ERROR,
    TOO_MANY_BYTES,
    Refusal,
)
from mdplatform.embedded.clickhouse.external import External
from mdplatform.embedded.clickhouse.parameters import Parameters, has_packed_body, sort_parameters
from mdplatform.embedded.clickhouse.spool import Spool
from mdplatform.embedded.clickhouse.statements import MOST_SQL_BYTES, Statement, parse

FORM_FIELD_BYTES = 16 << 20  # a query, or a parameter of one
# What is sent lies in memory until the engine has read it. A reader's body is SQL, or a form with external tables.
MOST_BODY_BYTES = 1 << 30
MOST_FORM_BYTES = 64 << 20
MOST_PASSED_BYTES = 16 << 20
SHORT_BYTES = 16 << 10  # what is longer is looked at beside the event loop
FORM_FIELDS = 10_000


NOTHING = Statement(b"", b"")


@dataclass(slots=True)
class Query:
    """One authenticated request, ready to run. `close` frees its data."""

    user: str
    parameters: Parameters
    by_get: bool  # GET may not change anything
    external: list[External] = field(default_factory=list)
    statement: Statement = NOTHING
    data: Spool | None = None  # of an INSERT
    accept_encoding: str = ""

    @property
    def format(self) -> str:
        return self.statement.format or self.parameters.default_format

    def close(self) -> None:
        for spool in (self.data, *(table.data for table in self.external)):
            if spool is not None:
                spool.close()


async def read_query(request: Request, users: Users) -> Query:
    """Read the whole request, also when it is refused: a client that still sends would see a reset, not the error.

    Who asks is known before anything of the body is looked at. Raises Refusal; ClientDisconnect when the client went
    away.
    """
    given = dict(request.query_params)
    try:
        user = authenticate(credentials(request.headers, given), users)
        codec = decoder(request.headers.get("content-encoding", ""))
    except Refusal:
        await _pass_over(request.stream())
        raise
    most = MOST_SQL_BYTES if user == READER else MOST_BODY_BYTES
    if has_packed_body(given):
        codec = BlocksWithin(codec, most)
    body, files = Spool(), dict[str, Spool]()
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            receive = _Bounded(request.receive, MOST_FORM_BYTES if user == READER else MOST_BODY_BYTES)
            await _read_form(Request(request.scope, receive), given, files)
        else:
            await _read_body(request, codec, most, body)
        parameters, external = sort_parameters(_with_headers(given, request.headers), files)
        parameters.roles = request.query_params.getlist("role")
        query = Query(user, parameters, request.method in ("GET", "HEAD"), external)
        query.accept_encoding = request.headers.get("accept-encoding", "")
        text = given.get("query", "").encode()
        if len(text) + body.size > SHORT_BYTES:
            await run_in_threadpool(_understand, query, users, text, body)
        else:
            _understand(query, users, text, body)
    except BaseException:
        for spool in (body, *files.values()):
            spool.close()
        raise
    return query


def _understand(query: Query, users: Users, text: bytes, body: Spool) -> None:
    """Find the statement and its data, and whether it may be. Raises Refusal."""
    query.statement, query.data = _statement(text, body)
    _permit(query, users)


async def _pass_over(stream: AsyncIterator[bytes]) -> None:
    """Read what a refused client still sends, as far as that is no burden; the rest is dropped as it comes."""
    passed = 0
    async for chunk in stream:
        passed += len(chunk)
        if passed > MOST_PASSED_BYTES:
            return


async def _read_body(request: Request, codec: Decoder, most: int, body: Spool) -> None:
    """The body, unpacked, of at most that many bytes. Raises Refusal, once the client has sent all."""
    stream = request.stream()
    try:
        async for chunk in stream:
            if isinstance(codec, Undecoded):
                _write(codec.steps, chunk, most, body)
            else:
                await run_in_threadpool(_write, codec.steps, chunk, most, body)
        _write(lambda _: iter((codec.flush(),)), b"", most, body)
    except Refusal:
        await _pass_over(stream)
        raise


def _write(steps: Callable[[bytes], Iterator[bytes]], chunk: bytes, most: int, body: Spool) -> None:
    try:
        for piece in steps(chunk):
            if body.size + len(piece) > most:
                raise Refusal(TOO_MANY_BYTES, f"The body of the request has more than {most} bytes when unpacked")
            body.write(piece)
    except (*DAMAGED, DamagedBlock) as error:
        raise Refusal(BAD_ARGUMENTS, f"Cannot decompress the request: {error}") from None


class _Bounded:
    """A `receive` that raises Refusal once more than `most` bytes of body came through it."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._left = receive, most, most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise Refusal(TOO_MANY_BYTES, f"The multipart form has more than {self._most} bytes")
        return message


async def _read_form(request: Request, given: dict[str, str], files: dict[str, Spool]) -> None:
    try:
        form = await request.form(max_files=FORM_FIELDS, max_fields=FORM_FIELDS, max_part_size=FORM_FIELD_BYTES)
    except MultiPartException as error:
        raise Refusal(BAD_ARGUMENTS, f"Cannot read the multipart form: {error.message}") from None
    await _take_form(form, given, files)


async def _take_form(form: FormData, given: dict[str, str], files: dict[str, Spool]) -> None:
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = Spool()
                while chunk := await value.read(1 << 20):
                    files[name].write(chunk)
            else:
                given[name] = value
    finally:
        await form.close()


def _permit(query: Query, users: Users) -> None:
    """Raises Refusal for what this user, this method or this endpoint does not do."""
    if not query.statement.verb and not query.statement.sql.strip():
        raise Refusal(SYNTAX_ERROR, "Syntax error: the query is empty")
    if query.by_get and query.parameters.settings.get("readonly", "2") not in ("1", "2"):
        raise Refusal(READONLY, "The HTTP method GET implies readonly mode, which no setting lifts")
    permit(query.user, query.statement, users, query.by_get)


def _with_headers(given: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    named = {
        "database": "x-clickhouse-database",
        "default_format": "x-clickhouse-format",
        "quota_key": "x-clickhouse-quota",
    }
    return {**{name: headers[header] for name, header in named.items() if header in headers}, **given}


def _statement(text: bytes, body: Spool) -> tuple[Statement, Spool | None]:
    """The statement is the `query` parameter, a line break, and the body; an INSERT's data is what follows its text."""
    if text and (inserts := _insert_of(text + b"\n")):
        return inserts, _joined((text + b"\n")[inserts.data_at :], body)
    whole: bytes = body.map()
    if text:
        # Its data can only begin in the body: the statement alone is copied.
        whole = text + b"\n" + whole[: MOST_SQL_BYTES + 1]
    statement = parse(whole)
    data = None
    if statement.data_at is not None:
        data = body.tail(max(0, statement.data_at - (len(text) + 1 if text else 0)))
    body.close()
    return statement, data


def _insert_of(text: bytes) -> Statement | None:
    """The INSERT in the `query` parameter, if it is complete up to its data: then the body is data."""
    statement = parse(text)
    return statement if statement.data_at is not None else None


def _joined(beginning: bytes, body: Spool) -> Spool:
    """An INSERT's data: what followed it in the `query` parameter, then the body."""
    if not beginning.strip():
        return body
    joined = Spool(beginning)
    joined.write(body.map()[:])
    body.close()
    return joined
