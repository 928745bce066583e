"""A file from a venue's archive: resumed where it broke off, and not given out before its checksum is proven."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from mdplatform.core.errors import ArchiveError, FeedError, RestError, is_retryable
from mdplatform.feed.backoff import retry_after_s

log = logging.getLogger(__name__)

T = TypeVar("T")
TIMEOUT_S = 30.0  # of each wait for bytes
ATTEMPTS = 5  # in a row that bring nothing
FIRST_PAUSE_S = 0.1
CHUNK = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_CHECKSUM = re.compile(r"([0-9a-fA-F]{64})\s+\*?(\S+)\s*")


def published_sha256(url: str) -> str | None:
    """What the ``.CHECKSUM`` file beside ``url`` says, None where the venue has published no such file.

    Raises FeedError when it cannot be had, ArchiveError when it is no checksum of this file.
    """
    try:
        text = get(f"{url}.CHECKSUM").decode(errors="replace")
    except RestError as error:
        if error.status == 404:
            return None
        raise
    name = url.rpartition("/")[2]
    found = _CHECKSUM.fullmatch(text)
    if found is None or found[2] != name:
        raise ArchiveError(f"{url}.CHECKSUM does not read '<sha256>  {name}': nothing was loaded")
    return found[1].lower()


def download(url: str, sha256: str, folder: Path) -> Path:
    """The file of ``url`` in ``folder``, complete and with this checksum.

    What was fetched before a break, also one of this process, is kept and continued: its name bears the checksum, so
    that two versions of a file never mix. Raises FeedError, and ArchiveError at another checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{sha256[:16]}-{url.rpartition('/')[2]}"
    if not target.exists():
        part = target.with_suffix(".part")
        _patiently(lambda: _continue(url, part), lambda: _size(part))
        _refuse_other(url, sha256, part)
        part.replace(target)
    return target


def fetch(url: str, folder: Path) -> tuple[Path, str] | None:
    """The file of ``url`` in ``folder``, complete by its length, and its sha256; None where there is no such file.

    For venues that publish no checksums: whoever reads it proves it, and removes what is not sound. Raises FeedError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{url.rpartition('/')[2]}"
    part = target.with_suffix(".part")
    if not target.exists():
        try:
            _patiently(lambda: _continue(url, part), lambda: _size(part))
        except RestError as error:
            if error.status == 404:
                return None
            raise
        part.replace(target)
    return target, sha256_of(target)


def get(url: str) -> bytes:
    """The answer to one call, asked for again after what may pass. Raises FeedError."""
    return _patiently(lambda: _get(url))


def _patiently(work: Callable[[], T], reached: Callable[[], int] = lambda: 0) -> T:
    """``work`` again after what may pass. An attempt that got further than before counts as none."""
    failures, before = 0, reached()
    while True:
        try:
            return work()
        except FeedError as error:
            failures = 1 if reached() > before else failures + 1
            before = reached()
            if failures >= ATTEMPTS or not is_retryable(error):
                raise
            log.warning("%s; trying again", error)
            asked_s = (error.retry_after_s or 0.0) if isinstance(error, RestError) else 0.0
            time.sleep(max(asked_s, FIRST_PAUSE_S * 2**failures))


def _get(url: str) -> bytes:
    with _opened(url) as answer:
        return answer.read()


def _continue(url: str, part: Path) -> None:
    """One request for what is missing; raises FeedError, also when the answer ends early."""
    have = _size(part)
    try:
        with _opened(url, have) as answer:
            resumed = answer.status == 206
            length = answer.headers.get("Content-Length")
            with part.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
    except RestError as error:
        if error.status == 416:  # nothing is missing; the checksum decides whether it is correct
            return
        raise
    if length and _size(part) != (expected := int(length) + (have if resumed else 0)):
        raise FeedError(f"{url} broke off at byte {_size(part)} of {expected}")


@contextmanager
def _opened(url: str, begin: int = 0) -> Iterator[http.client.HTTPResponse]:
    """The answer from byte ``begin`` on, or from the first where the server ignores that. Raises FeedError."""
    own = urlsplit(url).hostname in LOOPBACK
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if own else []))
    request = urllib.request.Request(url, headers={"Range": f"bytes={begin}-"} if begin else {})
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        raise RestError(url, error.code, retry_after_s(error.headers.get("Retry-After"))) from error
    except (OSError, http.client.HTTPException) as error:
        raise FeedError(f"no whole answer from {url}: {error}") from error


def _refuse_other(url: str, sha256: str, part: Path) -> None:
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise ArchiveError(f"{url} has sha256 {found}, its .CHECKSUM file says {sha256}: nothing was loaded")


def sha256_of(path: Path) -> str:
    """Of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
