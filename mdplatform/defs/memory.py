"""How much memory a process has."""

import os
from pathlib import Path


def resident_bytes(pid: int | None = None) -> int | None:
    """Of this process, or of another one; None where it has ended, or the kernel does not tell (only Linux does)."""
    try:
        pages = Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
