"""Files and directories that other users of the machine can neither read, nor write, nor put there beforehand."""

import os
from pathlib import Path
from typing import BinaryIO

from mdplatform.core.errors import ConfigError


def owned_directory(path: Path) -> None:
    """Make `path` a directory of mode 0700 where there is none. Raises ConfigError for one that others own or may
    write to: what is in it could be anybody's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the directory {path}: {error.strerror}") from None
    for found in (path.lstat(), path.stat()):  # a link, and where it leads to
        if found.st_uid != os.geteuid():
            raise ConfigError(f"{path} belongs to another user (uid {found.st_uid}): give a directory of your own")
    if found.st_mode & 0o022:
        who = "everybody" if found.st_mode & 0o002 else f"its group (gid {found.st_gid})"
        raise ConfigError(
            f"{path} may be written to by {who}: what is in it could be anybody's; chmod go-w, or give another"
        )


def private_directory(path: Path) -> None:
    """The same, and nobody else may look into it, either."""
    owned_directory(path)
    path.chmod(0o700)


def private_file(path: Path) -> BinaryIO:
    """A new file at `path`, empty and ours; what was there before, and what it may have pointed to, is left behind."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")
