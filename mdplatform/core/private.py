"""Files and directories that other users of the machine can neither read, nor write, nor put there beforehand.

Whoever may write to a directory can put a link there under the name of a file that we are about to write, and has us
overwrite what it points to; or a file of his own, and has us believe what it says.
"""

import errno
import os
from pathlib import Path
from typing import BinaryIO

from mdplatform.core.errors import ConfigError

OWNER_ONLY = 0o600
AS_USUAL = 0o666  # less what the umask takes away
CREATED = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def owned_directory(path: Path) -> None:
    """Make `path` a directory of mode 0700 where there is none. Raises ConfigError for one that others own or may
    write to."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the directory {path}: {error.strerror}") from None
    _check_owner(path, path.lstat())  # of a link, where it is one
    _check_owner(path, path.stat())
    _check_mode(path, path.stat())


def private_directory(path: Path) -> None:
    """The same, and nobody else may look into it, either."""
    owned_directory(path)
    path.chmod(0o700)


def private_file(path: Path, mode: int = OWNER_ONLY) -> BinaryIO:
    """A new file at `path`, empty and ours; what was there before, and what it may have pointed to, is left behind."""
    path.unlink(missing_ok=True)
    return os.fdopen(_opened(path, CREATED | os.O_EXCL, mode), "wb")


def appended_file(path: Path, mode: int = OWNER_ONLY) -> BinaryIO:
    """The file at `path` to append to, made where there is none. OSError (ELOOP) where it is a symbolic link."""
    return os.fdopen(_opened(path, CREATED | os.O_APPEND, mode), "ab")


def overwritten_file(path: Path, mode: int = AS_USUAL) -> BinaryIO:
    """The file at `path` from its beginning, also a device. OSError (ELOOP) where it is a symbolic link."""
    return os.fdopen(_opened(path, CREATED | os.O_TRUNC, mode), "wb")


def unlinked_file(path: Path) -> BinaryIO:
    """The file at `path` to read. OSError (ELOOP) where it is a symbolic link."""
    return os.fdopen(_opened(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb")


def read_own(path: Path) -> bytes:
    """What is in `path`; OSError, and ConfigError for a file that others own or may write to."""
    with unlinked_file(path) as file:
        found = os.fstat(file.fileno())
        _check_owner(path, found)
        _check_mode(path, found)
        return file.read()


def _opened(path: Path, flags: int, mode: int = 0) -> int:
    try:
        return os.open(path, flags, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:  # the kernel speaks of too many levels of links
            raise OSError(error.errno, "it is a symbolic link, which is not followed", str(path)) from None
        raise


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise ConfigError(f"{path} belongs to another user (uid {found.st_uid}): take one of your own")


def _check_mode(path: Path, found: os.stat_result) -> None:
    if found.st_mode & 0o022:
        who = "everybody" if found.st_mode & 0o002 else f"its group (gid {found.st_gid})"
        raise ConfigError(f"{path} may be written to by {who}: take one of your own, or `chmod -R go-w` what you trust")
