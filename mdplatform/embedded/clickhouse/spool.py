"""Request data kept outside the Python heap: an anonymous file in memory that the engine opens by its path.

Data never goes into SQL text: the engine cuts binary data there, and text at its first blank line, without an error.
"""

import contextlib
import mmap
import os
from types import TracebackType
from typing import Self, cast


class Spool:
    """An anonymous file: written front to back, then read by the engine under `path`."""

    def __init__(self, beginning: bytes = b"") -> None:
        self._fd = os.memfd_create("clickhouse-request", os.MFD_CLOEXEC)
        self.size = 0
        self.write(beginning)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self.size += written
            view = view[written:]

    def map(self) -> bytes:
        """All that was written, to search and slice like bytes without copying it (in truth a memory map)."""
        return cast(bytes, mmap.mmap(self._fd, self.size, prot=mmap.PROT_READ)) if self.size else b""

    def tail(self, start: int) -> "Spool":
        """A spool of its own with everything from byte `start`, copied inside the kernel."""
        rest = Spool()
        position = start
        while sent := os.sendfile(rest._fd, self._fd, position, self.size - position):
            position += sent
        rest.size = self.size - start
        return rest

    def close(self) -> None:
        """Free the memory; may be called again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
