"""Connections to ClickHouse that fail with one clear line: the platform's own, and those for people's questions."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from mdplatform.core.certificates import check_authority
from mdplatform.core.errors import ConfigError, WarehouseError
from mdplatform.core.settings import Settings, hide

CONNECT_S = 10
# An hour of books over a slow disk takes minutes; a server that stopped answering should still be noticed.
ANSWER_S = 300

# Of people's own questions. 2: a question may bring settings, and changes nothing. Each holds where the user has no
# such limit of his own.
READER_S = 60
READER_LIMITS = {
    "max_execution_time": str(READER_S),
    "max_result_rows": "10000000",
    "cancel_http_readonly_queries_on_client_close": "1",
    "readonly": "2",
}

UNKNOWN_DATABASE = 81
WRONG_PASSWORD = (192, 193, 194, 516)
_CODE = re.compile(r"[Cc]ode: (\d+)")
_SYSTEM_ERROR = re.compile(r"\[Errno -?\d+\] ([^\"')]+)")


def connect(settings: Settings, database: str | None = None, patience_s: int = ANSWER_S) -> Client:
    """A client in ``database`` (None: the one that the platform works in), that waits ``patience_s`` for answers.

    Raises WarehouseError when ClickHouse does not answer, refuses the user or has no such database.
    """
    try:
        parts = urlsplit(settings.clickhouse_url)
        port = parts.port
    except ValueError:
        address = hide(settings.clickhouse_url)
        raise ConfigError(f"CLICKHOUSE_URL is not of the form http://user:password@host:port: {address}") from None
    check_authority("MDPLATFORM_CLICKHOUSE_CA_FILE", settings.clickhouse_ca_file)
    wanted = settings.internal_database if database is None else database
    with warehouse_errors(settings.clickhouse_url, f"connect to database {wanted}"):
        return clickhouse_connect.get_client(
            host=parts.hostname or "127.0.0.1",
            port=port or (8443 if parts.scheme == "https" else 8123),
            secure=parts.scheme == "https",
            ca_cert=settings.clickhouse_ca_file or None,
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=wanted,
            connect_timeout=CONNECT_S,
            send_receive_timeout=patience_s,
            # Sessions would make concurrent queries of one client fail; nothing here needs one.
            autogenerate_session_id=False,
        )


def connect_reader(settings: Settings, database: str | None = None) -> Client:
    """As the user of CLICKHOUSE_READER_URL, else as that of CLICKHOUSE_URL, who may then only read. Errors: connect.

    ``database`` None: the one that the platform works in, for its own questions; what people ask is asked in
    ``settings.clickhouse_database``.
    """
    if settings.clickhouse_reader_url:
        settings = dataclasses.replace(settings, clickhouse_url=settings.clickhouse_reader_url)
    client = connect(settings, database)
    for name, value in READER_LIMITS.items():
        known = client.server_settings.get(name)
        if known is not None and known.value == "0" and not known.readonly:
            client.set_client_setting(name, value)
    return client


def kept_reader(settings: Settings) -> Client:
    """The same, made once a process and left open: to connect costs as much as a short question. Errors: connect."""
    return _reader_of(settings, os.getpid())


@lru_cache(maxsize=8)
def _reader_of(settings: Settings, process: int) -> Client:
    """``process``: sockets are not shared with a forked one."""
    return connect_reader(settings)


def error_code(error: BaseException) -> int | None:
    """The server's error code, None where it did not answer with one."""
    found = _CODE.search(str(error))
    return int(found[1]) if found else None


@contextmanager
def warehouse_errors(url: str, what: str) -> Iterator[None]:
    """Turns the driver's errors of the block into a WarehouseError of one line that says what was being done."""
    address = hide(url)
    try:
        yield
    except ClickHouseError as error:
        raise WarehouseError(f"{_said(error, address)} (while trying to {what})") from error


def _said(error: ClickHouseError, address: str) -> str:
    code = error_code(error)
    if code in WRONG_PASSWORD:
        return f"ClickHouse at {address} refuses this user or password"
    if code == UNKNOWN_DATABASE:
        return f"ClickHouse at {address} has no such database: run `mdplatform migrate`"
    if isinstance(error, DatabaseError) and code is not None:
        return f"ClickHouse at {address}: {first_line(error)}"
    cause = _SYSTEM_ERROR.search(str(error))
    why = cause[1] if cause else first_line(error)
    return f"ClickHouse at {address} cannot be reached: {why}; is it running? `mdplatform up`, CLICKHOUSE_URL"


def first_line(error: Any) -> str:
    """What the server said, without the driver's preamble and all that the grammar would have taken, in one line."""
    text = str(error).strip().partition("server response: ")[2] or str(error)
    return text.strip().partition("\n")[0].partition(" (version ")[0].partition(" Expected one of: ")[0]
