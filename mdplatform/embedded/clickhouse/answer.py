"""The HTTP answer to a query: headers, compressed pieces, and errors before or in the middle of it."""

import re
import secrets
import string
from collections.abc import Mapping

from starlette.types import Send

from mdplatform.embedded.clickhouse.blocks import BlockWriter, Within
from mdplatform.embedded.clickhouse.compression import ENCODERS, Codec, Plain, choose_encoding
from mdplatform.embedded.clickhouse.errors import ClickHouseError
from mdplatform.embedded.clickhouse.execution import Execution
from mdplatform.embedded.clickhouse.formats import content_type

TAG_LETTERS = string.ascii_lowercase
UNREPEATABLE = re.compile(rb"[^ -~\xa1-\xff]")  # what would end a header, or the line of a terminal that shows it


class Answer:
    """Writes one answer to the client. `common` are the headers every answer carries."""

    def __init__(self, send: Send, common: Mapping[str, str]) -> None:
        self._send = send
        self._common = common
        self._tag = "".join(secrets.choice(TAG_LETTERS) for _ in range(16))
        self._codec: Codec = Plain()
        self.is_started = False

    async def begin(self, execution: Execution) -> None:
        query = execution.query
        headers = {
            **self._common,
            "content-type": content_type(query.format),
            "x-clickhouse-query-id": query.parameters.query_id,
            "x-clickhouse-summary": execution.summary.header(),
            "x-clickhouse-exception-tag": self._tag,
        }
        if query.statement.answers:
            headers["x-clickhouse-format"] = query.format
        encoding = choose_encoding(query.accept_encoding) if query.parameters.compress_answer else None
        if encoding:
            headers["content-encoding"] = encoding
            self._codec = ENCODERS[encoding]()
        if query.parameters.compress_blocks:
            self._codec = Within(BlockWriter(), self._codec)
        await self._start(200, headers)

    async def piece(self, data: bytes) -> None:
        if body := self._codec.write(data):
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": self._codec.flush(), "more_body": False})

    async def error(self, error: ClickHouseError, query_id: str) -> None:
        """An answer of its own, or where one has started, a block at its end that clients know by the announced tag."""
        if self.is_started:
            await self.piece(in_stream(error, self._tag))
            await self.end()
            return
        headers = {**self._common, "content-type": "text/plain; charset=UTF-8"}
        headers["x-clickhouse-exception-code"] = str(error.code)
        headers["x-clickhouse-query-id"] = query_id
        await self._start(error.status, headers)
        await self._send({"type": "http.response.body", "body": f"{error}\n".encode(), "more_body": False})

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.is_started = True
        pairs = [(name.encode(), _one_line(value)) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})


def _one_line(value: str) -> bytes:
    """A header's value, whoever it came from: an error repeats even what it was refused for."""
    return UNREPEATABLE.sub(b"?", value.encode("latin-1", "replace"))


def in_stream(error: ClickHouseError, tag: str) -> bytes:
    """The exception block of an answer that broke off: its length is that of the message with its line break."""
    message = f"{error}\n".encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (
        tag.encode(),
        message,
        len(message),
        tag.encode(),
    )
