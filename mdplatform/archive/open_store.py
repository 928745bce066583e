"""From the setting MDPLATFORM_ARCHIVE_DIR, a path or a URL, to the store it means."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from pyarrow import fs

from mdplatform.archive.localstore import LocalStore
from mdplatform.archive.objectstore import ObjectStore
from mdplatform.archive.store import Store
from mdplatform.core.errors import ArchiveError

Root = Store | Path | str


def store_at(root: Root) -> Store:
    """A directory for a path or ``file://``, an object store for any other URL; raises ArchiveError.

    Credentials come from where the store's own tools find them (for S3: AWS_ACCESS_KEY_ID and so on, AWS_ENDPOINT_URL
    for another address), never from the URL, which is shown to people.
    """
    if isinstance(root, Store):
        return root
    text = str(root)
    if isinstance(root, Path) or "://" not in text:
        return LocalStore(Path(root))
    scheme, _, rest = text.partition("://")
    if "@" in rest:
        raise ArchiveError(
            f"the address of the archive ({scheme}://...) must not contain credentials: they come from the environment"
        )
    if scheme == "file":
        return LocalStore(Path(unquote(urlsplit(text).path)))
    filesystem, base = _opened(scheme, text)
    if not base.strip("/"):
        raise ArchiveError(f"the address of the archive names no bucket: {text}")
    return ObjectStore(filesystem, base, text.partition("?")[0])


def _opened(scheme: str, url: str) -> tuple[fs.FileSystem, str]:
    """Arrow's own filesystems first, then what fsspec has a package for."""
    known = scheme in ("s3", "gs", "gcs", "abfs", "abfss", "hdfs")
    try:
        found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(url if known else f"fsspec+{url}")
    except ImportError as error:
        raise ArchiveError(f"the archive's address needs a package that is not installed: {error}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        said = str(error).partition("\n")[0]
        raise ArchiveError(f"the archive at {url.partition('?')[0]} cannot be opened: {said}") from None
    return found
