"""Formats: their content types, and how the pieces of a streamed result become one document."""

import struct

# The engine streams a result as several documents of the format; of these formats, documents in a row are one document.
JOINABLE = frozenset(
    {"Native", "RowBinary", "MsgPack", "RawBLOB", "LineAsString"}
    | {"TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV", "TSKV"}
    | {"JSONEachRow", "JSONLines", "NDJSON", "JSONCompactEachRow", "JSONStringsEachRow", "JSONCompactStringsEachRow"}
)
ARROW_STREAM = "ArrowStream"
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"

TEXTS = {"TabSeparated": "text/tab-separated-values", "TSV": "text/tab-separated-values", "CSV": "text/csv"}
BINARIES = ("Native", "RowBinary", "Parquet", "Arrow", "ORC", "Avro", "MsgPack", "Protobuf", "RawBLOB")


def content_type(form: str) -> str:
    """The Content-Type of a format, as the server names it."""
    if form.startswith(BINARIES):
        return "application/octet-stream"
    if form.startswith("JSON"):
        return "application/json; charset=UTF-8"
    kind = next((kind for name, kind in TEXTS.items() if form.startswith(name)), "text/plain")
    return f"{kind}; charset=UTF-8"


class ArrowJoiner:
    """Joins Arrow stream documents: the schema of the first only, the end mark of the last only.

    Framing: arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format. A schema has no body, so its
    message ends with its metadata.
    """

    def __init__(self) -> None:
        self._begun = False

    def write(self, document: bytes) -> bytes:
        if not document:
            return b""
        start = 0
        if self._begun:
            start = 8 + int(struct.unpack_from("<i", document, 4)[0])
        self._begun = True
        end = len(document) - len(ARROW_END) if document.endswith(ARROW_END) else len(document)
        return document[start:end]

    def flush(self) -> bytes:
        return ARROW_END if self._begun else b""
