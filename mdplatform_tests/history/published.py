"""A venue's public archive on loopback: files written in the documented layout, served with ranges and with faults."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from mdplatform.history.layout import HistoryFile


@dataclass
class Archive:
    """``cuts``: path -> how many bytes each of the next answers holds before the connection ends; ``calls``: path ->
    what answers a call with these parameters (None: HTTP 503)."""

    root: Path
    url: str = ""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    calls: dict[str, Callable[[dict[str, str]], bytes | None]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range header

    def publish(self, file: HistoryFile, rows: Sequence[str], header: str | None = None) -> Path:
        """Write the zip and its checksum file; gives the zip."""
        path = self.root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(file, rows, header))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.CHECKSUM").write_text(f"{sha256}  {path.name}\n")
        return path

    def asked(self, suffix: str = ".zip") -> list[str]:
        return [path for path, _ in self.requests if path.endswith(suffix)]


def zipped(file: HistoryFile, rows: Sequence[str], header: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        text = "".join(f"{line}\n" for line in ([header] if header else []) + list(rows))
        archive.writestr(file.name.replace(".zip", ".csv"), text)
    return buffer.getvalue()


@contextmanager
def served(root: Path) -> Iterator[Archive]:
    """An archive of the files below ``root``."""
    archive = Archive(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, archive)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        archive.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield archive
        finally:
            server.shutdown()
            thread.join()


def _answer(request: BaseHTTPRequestHandler, archive: Archive) -> None:
    path, wanted = request.path.lstrip("/"), request.headers.get("Range")
    archive.requests.append((path, wanted))
    called = urlsplit(path)
    if called.path in archive.calls:
        said = archive.calls[called.path](dict(parse_qsl(called.query)))
        request.send_response(200 if said is not None else 503)
        request.send_header("Content-Length", str(len(said or b"")))
        request.end_headers()
        request.wfile.write(said or b"")
        return
    file = archive.root / path
    if not file.is_file():
        request.send_error(404)
        return
    body = file.read_bytes()
    begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0  # type: ignore[index]
    if begin and begin >= len(body):
        request.send_error(416)
        return
    cuts = archive.cuts.get(path, [])
    request.send_response(206 if begin else 200)
    request.send_header("Content-Length", str(len(body) - begin))
    request.end_headers()
    request.wfile.write(body[begin:][: cuts.pop(0)] if cuts else body[begin:])
