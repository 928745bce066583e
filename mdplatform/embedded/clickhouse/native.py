"""ClickHouse's Native format for clients that decode it at a protocol revision (clickhouse-go, Grafana's plugin).

The engine always writes revision 0. At revision 54454 and later each block begins with a BlockInfo, and each column's
type is followed by a byte that says whether its serialization is a special one. To add these, columns are walked over.
Layout: clickhouse.com/docs/native-protocol/columns, and clickhouse.com/docs/native-protocol/server
"""

from mdplatform.embedded.clickhouse.native_columns import Reader, skip_column
from mdplatform.embedded.clickhouse.native_types import parse_type

BLOCK_INFO_REVISION = 54454
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # is_overflows = 0, bucket_num = -1, end
ORDINARY = b"\x00"


class Transcoder:
    """Turns documents of revision 0 into documents of revision 54454; whole blocks only."""

    def write(self, document: bytes) -> bytes:
        """Raises Refusal (48) for a column type that is not known here."""
        reader, out = Reader(document), bytearray()
        while not reader.at_end:
            _block(reader, out)
        return bytes(out)

    def flush(self) -> bytes:
        return b""


def _block(reader: Reader, out: bytearray) -> None:
    out += BLOCK_INFO
    start = reader.at
    columns, rows = reader.number(), reader.number()
    for _ in range(columns):
        reader.text()
        kind = reader.text()
        out += reader.data[start : reader.at] + ORDINARY
        start = reader.at
        if rows:
            skip_column(reader, parse_type(kind), rows)
    out += reader.data[start : reader.at]
