"""Who may ask: users, their passwords, and what a reader may not do.

The engine runs as one OS user and knows no passwords; the endpoint checks them. What a user may do is the engine's own
decision: a reader's statements run under `EXECUTE AS reader`, so that its grants and limits hold whatever the SQL says.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from mdplatform.embedded.clickhouse.errors import AUTHENTICATION_FAILED, READONLY, Refusal
from mdplatform.embedded.clickhouse.guard import forbid_outside, forbid_second_statement
from mdplatform.embedded.clickhouse.statements import Statement

DEFAULT_USER = "default"
READER = "reader"
# Nobody logs in as this one: it creates the external tables of a reader's query, and then becomes the reader.
LOADER = "loader"
READER_DATABASES = ("marketdata", "marketdata_internal", "system", "information_schema", "INFORMATION_SCHEMA")
# Lies with what people read because it is asked for by its name; to read from it would take messages away.
HIDDEN_TABLE = "marketdata.md_orderbook_stream_kafka"


@dataclass(frozen=True, slots=True)
class Users:
    """Passwords by user name (a user not in it does not exist), and the reader's limits (setting -> greatest value).

    `outside`: the engine's table functions that a reader may not use, in lower case.
    """

    passwords: Mapping[str, str] = field(default_factory=lambda: {DEFAULT_USER: ""}, repr=False)
    reader_limits: Mapping[str, str] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str = field(repr=False)


def credentials(headers: Mapping[str, str], parameters: Mapping[str, str]) -> Credentials:
    """Who the request says it comes from: X-ClickHouse headers, basic authentication, or parameters. Raises Refusal."""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return Credentials(headers.get("x-clickhouse-user", DEFAULT_USER), headers.get("x-clickhouse-key", ""))
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(token)
    if scheme:
        raise Refusal(AUTHENTICATION_FAILED, f"Only basic authentication is known here, not {scheme}")
    return Credentials(parameters.get("user") or DEFAULT_USER, parameters.get("password", ""))


def _basic(token: str) -> Credentials:
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:  # not ASCII, not base64, or not UTF-8 behind it
        raise Refusal(AUTHENTICATION_FAILED, "The basic authentication header is not base64 of user:password") from None
    return Credentials(user or DEFAULT_USER, password)


def authenticate(who: Credentials, users: Users) -> str:
    """The name of the user, proven. Raises Refusal; an unknown user and a wrong password look alike."""
    expected = users.passwords.get(who.user)
    if not hmac.compare_digest((expected or "").encode(), who.password.encode()) or expected is None:
        raise Refusal(
            AUTHENTICATION_FAILED,
            f"{who.user}: Authentication failed: password is incorrect, or there is no user with such name.",
        )
    return who.user


def permit(user: str, statement: Statement, users: Users, by_get: bool) -> None:
    """Raises Refusal for what no user, no reader, or no GET does: a GET may do what a reader may, whoever sends it."""
    forbid_second_statement(statement.sql + statement.settings)
    changes = bool(statement.verb) and not statement.only_reads
    if user == READER and changes:
        raise Refusal(READONLY, f"{user}: Cannot execute query in readonly mode.")
    if by_get and (changes or statement.sets):
        raise Refusal(READONLY, "Cannot execute query in readonly mode: the HTTP method GET implies it.")
    if user == READER or by_get:
        forbid_outside(user if user == READER else "GET", statement.sql + statement.settings, users.outside)
