"""ClickHouse exceptions: their codes, their text, and the HTTP status each is answered with.

Codes: github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
"""

import re

BAD_ARGUMENTS = 36
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
READONLY = 164
ACCESS_DENIED = 497
TOO_MANY_BYTES = 307
SESSION_NOT_FOUND = 372
SESSION_IS_LOCKED = 373
QUERY_WAS_CANCELLED = 394
AUTHENTICATION_FAILED = 516
STD_EXCEPTION = 1001

NAMES = {
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    READONLY: "READONLY",
    ACCESS_DENIED: "ACCESS_DENIED",
    TOO_MANY_BYTES: "TOO_MANY_BYTES",
    SESSION_NOT_FOUND: "SESSION_NOT_FOUND",
    SESSION_IS_LOCKED: "SESSION_IS_LOCKED",
    QUERY_WAS_CANCELLED: "QUERY_WAS_CANCELLED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    STD_EXCEPTION: "STD_EXCEPTION",
}

# As the server answers them: what the client got wrong is 4xx, the rest 500.
STATUS = {
    **dict.fromkeys((6, 27, 36, 38, 41, 43, 44, 53, 62, 70, 72, 117, 386, 457, 456), 400),
    **dict.fromkeys((46, 47, 60, 81), 404),
    **dict.fromkeys((164, 497, 516), 403),
    **dict.fromkeys((159, 209), 408),
    TOO_MANY_BYTES: 413,
    **dict.fromkeys((48,), 501),
    **dict.fromkeys((202, 439), 503),
}

CODE = re.compile(r"Code: (\d+)\.")
MARK = re.compile(r"\n?/\*[0-9a-f]{32}\*/")  # what the endpoint appends to a statement
VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)\.?")


class ClickHouseError(Exception):
    """A statement was refused. `str()` is the full text in the server's form, ending in the version."""

    def __init__(self, code: int, text: str, version: str) -> None:
        super().__init__(code, text, version)
        self.code, self.text, self.version = code, text, version

    def __str__(self) -> str:
        return f"{self.text} (version {self.version})"

    @property
    def status(self) -> int:
        """The HTTP status this error is answered with."""
        return STATUS.get(self.code, 500)


class Refusal(Exception):
    """Raised by the endpoint itself, before the engine sees anything; becomes a ClickHouseError on its way out."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return f"Code: {self.code}. DB::Exception: {self.message} ({NAMES[self.code]})"


def as_clickhouse_error(error: Exception, version: str) -> ClickHouseError:
    """Give any failure of the engine the server's form: "Code: N. DB::Exception: ... (NAME) (version V)"."""
    if isinstance(error, ClickHouseError):
        return error
    if isinstance(error, Refusal):
        return ClickHouseError(error.code, str(error), version)
    text = MARK.sub("", VERSION.sub("", str(error))).strip()
    found = CODE.search(text)
    if found is None:
        return ClickHouseError(STD_EXCEPTION, f"Code: {STD_EXCEPTION}. DB::Exception: {text} (STD_EXCEPTION)", version)
    return ClickHouseError(int(found[1]), text[found.start() :], version)
