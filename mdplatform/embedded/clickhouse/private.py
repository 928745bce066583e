"""Files and directories that other users of the machine can neither read, nor write, nor put there beforehand."""

import os
from pathlib import Path
from typing import BinaryIO

from mdplatform.errors import ConfigError


def private_directory(path: Path) -> None:
    """Make `path` a directory of ours alone. Raises ConfigError for one that others own or may write to."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise ConfigError(f"{path} belongs to another user (uid {found.st_uid})")
    if found.st_mode & 0o002:
        raise ConfigError(f"{path} may be written to by everybody: what is in it could be anybody's")
    path.chmod(0o700)


def private_file(path: Path) -> BinaryIO:
    """A new file at `path`, empty and ours; what was there before, and what it may have pointed to, is left behind."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")
