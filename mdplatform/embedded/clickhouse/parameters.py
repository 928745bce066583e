"""Sorting a request's parameters: the protocol's own, query parameters, external tables; all others are settings."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from mdplatform.embedded.clickhouse.errors import BAD_ARGUMENTS, Refusal
from mdplatform.embedded.clickhouse.external import PART_SUFFIXES, External, read_external
from mdplatform.embedded.clickhouse.spool import Spool

# Neither settings nor of any use here: progress headers are not sent, buffering is the endpoint's own choice.
WITHOUT_EFFECT = frozenset(
    {"user", "password", "quota_key", "buffer_size", "stacktrace", "close_session"}
    | {"send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_response_headers"}
    | {"cancel_http_readonly_queries_on_client_close"}
    # The embedded engine has no insert queue: an asynchronous insert would wait forever.
    | {"async_insert", "wait_for_async_insert", "async_insert_busy_timeout_ms", "wait_for_async_insert_timeout"}
)
PROTOCOL = (
    WITHOUT_EFFECT
    | {"query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check", "role"}
    | {"wait_end_of_query", "enable_http_compression", "compress", "decompress", "client_protocol_version"}
)
LONGEST_SESSION_S = 3600
# What is repeated in a header of the answer: one line, of characters that can be seen.
REPEATABLE = re.compile(r"[ -~]{0,1000}")


@dataclass(slots=True)
class Parameters:
    database: str = ""
    default_format: str = "TabSeparated"
    query_id: str = ""
    session_id: str = ""
    session_seconds: int = 60
    session_must_exist: bool = False
    wait_end_of_query: bool = False
    compress_answer: bool = False
    compress_blocks: bool = False  # the answer in ClickHouse's own compression, within an HTTP encoding if there is one
    revision: int = 0  # client_protocol_version
    roles: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)  # param_x, in TSV escaping as they came
    settings: dict[str, str] = field(default_factory=dict)


def sort_parameters(given: Mapping[str, str], files: Mapping[str, Spool]) -> tuple[Parameters, list[External]]:
    """Raises Refusal for numbers that are none, names that no header can repeat, and files without a description."""
    for name in ("query_id", "default_format"):
        if REPEATABLE.fullmatch(given.get(name, "")) is None:
            raise Refusal(BAD_ARGUMENTS, f"Parameter {name} is not a line of at most 1000 visible ASCII characters")
    parts = {name + suffix for name in files for suffix in PART_SUFFIXES}
    known = Parameters(
        database=given.get("database", ""),
        default_format=given.get("default_format") or "TabSeparated",
        query_id=given.get("query_id") or str(uuid.uuid4()),
        session_id=given.get("session_id", ""),
        session_seconds=min(_number(given, "session_timeout", 60), LONGEST_SESSION_S),
        session_must_exist=_flag(given, "session_check"),
        wait_end_of_query=_flag(given, "wait_end_of_query"),
        compress_answer=_flag(given, "enable_http_compression"),
        compress_blocks=_flag(given, "compress"),
        revision=_number(given, "client_protocol_version", 0),
    )
    for name, value in given.items():
        if name.startswith("param_"):
            known.values[name.removeprefix("param_")] = value
        elif name not in PROTOCOL and name not in parts:
            known.settings[name] = value
    return known, [read_external(name, data, given) for name, data in files.items()]


def has_packed_body(given: Mapping[str, str]) -> bool:
    """Whether the body is in ClickHouse's own compression."""
    return _flag(given, "decompress")


def _flag(given: Mapping[str, str], name: str) -> bool:
    return given.get(name, "0").lower() in ("1", "true")


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(given[name]) if given.get(name) else default
    except ValueError:
        raise Refusal(BAD_ARGUMENTS, f"Parameter {name} is not a number: {given[name]!r}") from None
