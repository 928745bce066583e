"""X-ClickHouse-Summary: what a statement read and wrote."""

import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Summary:
    """Counts of one statement; rows and uncompressed bytes."""

    read_rows: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    began_ns: int = field(default_factory=time.monotonic_ns)

    def add(self, result: Any) -> None:
        """Add a result or a piece of one: chdb calls the rows of the result "read", those of the tables "storage"."""
        self.result_rows += result.rows_read()
        self.result_bytes += result.bytes_read()
        self.read_rows += result.storage_rows_read()

    def add_written(self, result: Any) -> None:
        """Of an INSERT from a file, chdb counts as read what it wrote."""
        self.written_rows += result.rows_read()
        self.written_bytes += result.bytes_read()

    def header(self) -> str:
        """As the server writes it: all values are strings."""
        counts = {
            "read_rows": self.read_rows + self.written_rows,
            "read_bytes": self.result_bytes + self.written_bytes,
            "written_rows": self.written_rows,
            "written_bytes": self.written_bytes,
            "total_rows_to_read": self.read_rows,
            "result_rows": self.result_rows or self.written_rows,
            "result_bytes": self.result_bytes or self.written_bytes,
            "elapsed_ns": time.monotonic_ns() - self.began_ns,
        }
        return json.dumps({name: str(count) for name, count in counts.items()}, separators=(",", ":"))
