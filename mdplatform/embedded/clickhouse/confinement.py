"""The engine's process confines itself: of the file system it keeps its data directory and what it needs to run.

By Landlock (docs.kernel.org/userspace-api/landlock.html), whose system calls have no wrapper in the C library. What is
not allowed here is denied to this process and all that it could start, for good: reading and writing elsewhere, and
running any program. Sockets are left alone, for Kafka.
"""

import ctypes
import errno
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # of all architectures
NO_NEW_PRIVILEGES = 38  # prctl
PATH_BENEATH = 1

READ_FILE, READ_DIR = 1 << 2, 1 << 3
READING = READ_FILE | READ_DIR
WRITE_FILE = 1 << 1
# The rights that each version of the interface knows, by version: writing and making (1), linking elsewhere (2),
# truncating (3; 4 is about sockets), control of devices (5).
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
OF_FILES = 1 | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15  # the rest make sense for directories only
EXECUTE = 1

# Names are resolved, times are shown and authorities are trusted by these; memory and processors are counted by those.
SYSTEM = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/etc/ssl", "/etc/pki", "/usr/share/ca-certificates"),
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/dev/urandom", "/dev/random"),
    *("/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/sys", "/sys/fs/cgroup"),
    *("/sys/devices/system", "/sys/block", "/sys/kernel/mm/transparent_hugepage"),
)
# What the engine reads of itself; the environment and the command line are not among it.
ITSELF = tuple(
    f"/proc/self/{name}" for name in ("maps", "auxv", "status", "stat", "statm", "io", "limits", "mountinfo")
)
# The engine asks the kernel by netlink how long a thread has waited. Only root may do that; for all others it reads it
# here, or does not open at all. What is beneath cannot be separated: there the environment can be read by files of the
# engine, which only `default` may open.
THREADS = "/proc/self/task"
NET_ADMIN = 1 << 12


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def confine(directory: Path, readable: Iterable[str] = ()) -> bool:
    """Keep `directory` (which exists) and reading of `readable`; call it before there are threads.

    Temporary files then go to `directory`/tmp. False where the kernel cannot do it: it is said in one line.
    """
    temporary = directory / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    try:
        _restrict(directory, [*SYSTEM, *_python(directory), *readable])
    except OSError as error:
        log.warning("not confined to %s: this kernel has no Landlock (%s)", directory, error.strerror)
        return False
    return True


def _restrict(directory: Path, readable: Iterable[str]) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "not Linux")
    version = _call(CREATE_RULESET, None, 0, 1)
    handled = max(rights for known, rights in RIGHTS.items() if known <= version)
    ruleset = _call(CREATE_RULESET, ctypes.byref(_Ruleset(handled)), ctypes.sizeof(_Ruleset), 0)
    try:
        _allow(ruleset, str(directory), handled & ~EXECUTE)
        _allow(ruleset, "/dev/null", handled & (READ_FILE | WRITE_FILE))
        for path in readable:
            _allow(ruleset, path, READING)
        for path in ITSELF if _may_ask_netlink() else (*ITSELF, THREADS):
            # Left open: for as long as it is, the kernel finds under this name the very file that the rule is for.
            os.open(path, os.O_PATH | os.O_CLOEXEC)
            _allow(ruleset, path, READ_FILE)
        if ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    """For `path` and all beneath it; what is not there needs no rule."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(path).is_dir():
            rights &= OF_FILES
        _call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(_PathBeneath(rights, fd)), 0)
    finally:
        os.close(fd)


def _may_ask_netlink() -> bool:
    """Whether this process has the capability NET_ADMIN."""
    (effective,) = re.findall(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return bool(int(effective, 16) & NET_ADMIN)


def _python(directory: Path) -> list[str]:
    """Where code is imported from: this package, the interpreter, and installed packages; not what lies around it."""
    package = Path(__file__).parents[2]
    found = [str(package), sys.prefix, sys.base_prefix]
    for entry in filter(None, sys.path):
        around = Path(entry).absolute()
        if around != package.parent and around not in directory.parents and around != directory:
            found.append(entry)
    return found


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    result = int(library.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
