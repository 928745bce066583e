"""An HTTP request of ClickHouse's protocol, read into one `Query`.

Protocol: clickhouse.com/docs/interfaces/http; which parameter means what is in `parameters.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from mdplatform.embedded.clickhouse.access import Users, authenticate, credentials, permit
from mdplatform.embedded.clickhouse.compression import DAMAGED, Codec, Plain, decoder
from mdplatform.embedded.clickhouse.errors import BAD_ARGUMENTS, NOT_IMPLEMENTED, READONLY, SYNTAX_ERROR, Refusal
from mdplatform.embedded.clickhouse.external import External
from mdplatform.embedded.clickhouse.parameters import Parameters, sort_parameters
from mdplatform.embedded.clickhouse.spool import Spool
from mdplatform.embedded.clickhouse.statements import Statement, parse

FORM_FIELD_BYTES = 256 * 1024 * 1024  # a query may be a form field
FORM_FIELDS = 10_000


@dataclass(slots=True)
class Query:
    """One authenticated request, ready to run. `close` frees its data."""

    user: str
    statement: Statement
    parameters: Parameters
    by_get: bool  # GET may not change anything
    data: Spool | None = None  # of an INSERT
    external: list[External] = field(default_factory=list)
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

    Raises Refusal; ClientDisconnect when the client went away.
    """
    body, files, given = Spool(), dict[str, Spool](), dict(request.query_params)
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            await _read_form(request, given, files)
            user = authenticate(credentials(request.headers, given), users)
        else:
            user = await _read_body_of_user(request, given, users, body)
        parameters, external = sort_parameters(_with_headers(given, request.headers), files)
        parameters.roles = request.query_params.getlist("role")
        statement, data = _statement(given.get("query", "").encode(), body)
        query = Query(user, statement, parameters, request.method in ("GET", "HEAD"), data, external)
        query.accept_encoding = request.headers.get("accept-encoding", "")
        _permit(query, users)
    except BaseException:
        for spool in (body, *files.values()):
            spool.close()
        raise
    return query


async def _read_body_of_user(request: Request, given: Mapping[str, str], users: Users, body: Spool) -> str:
    """The user's name. For who is refused nothing is unpacked: kilobytes may hold gigabytes. Raises Refusal."""
    try:
        user = authenticate(credentials(request.headers, given), users)
        codec, refusal = decoder(request.headers.get("content-encoding", "")), None
    except Refusal as error:
        user, codec, refusal = "", Plain(), error
    if refusal := await _read_body(request, codec, refusal, body):
        raise refusal
    return user


async def _read_body(request: Request, codec: Codec, refusal: Refusal | None, body: Spool) -> Refusal | None:
    try:
        async for chunk in request.stream():
            if refusal is None:
                refusal = _decode(codec.write, chunk, body)
    except ClientDisconnect:
        body.close()
        raise
    return refusal or _decode(lambda _: codec.flush(), b"", body)


def _decode(write: Callable[[bytes], bytes], chunk: bytes, body: Spool) -> Refusal | None:
    try:
        body.write(write(chunk))
    except DAMAGED as error:
        return Refusal(BAD_ARGUMENTS, f"Cannot decompress the request: {error}")
    return None


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
    if query.parameters.compressed_blocks:
        raise Refusal(NOT_IMPLEMENTED, "compress=1 and decompress=1 are not served: use HTTP's encodings instead")
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
        whole = text + b"\n" + whole[:]
    statement = parse(whole)
    data = None
    if statement.data_at is not None:
        data = Spool(whole[statement.data_at :]) if text else body.tail(statement.data_at)
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
