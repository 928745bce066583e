"""A file arrives whole and proven, or not at all."""

from datetime import date
from pathlib import Path

import pytest

from mdplatform.core.errors import ArchiveError, FeedError
from mdplatform.history import download as downloads
from mdplatform.history.download import download, published_sha256
from mdplatform.history.files import Period
from mdplatform.history.layout import HistoryFile
from mdplatform_tests.history.published import Archive

FILE = HistoryFile("binance", "trades", "BTCUSDT", Period((date(2025, 1, 1),)))
ROWS = [f"{n},93000.{n},0.001,93.0,{1735689600000000 + n * 977},True,True" for n in range(500)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "FIRST_PAUSE_S", 0.0)


def fetch(archive: Archive, folder: Path) -> bytes:
    url = f"{archive.url}/{FILE.path}"
    sha256 = published_sha256(url)
    assert sha256
    return download(url, sha256, folder).read_bytes()


def test_a_file_that_is_not_published_has_no_checksum(archive: Archive) -> None:
    assert published_sha256(f"{archive.url}/{FILE.path}") is None


def test_a_file_arrives_as_it_was_published(archive: Archive, tmp_path: Path) -> None:
    published = archive.publish(FILE, ROWS).read_bytes()
    assert fetch(archive, tmp_path) == published


def test_a_download_that_breaks_off_goes_on_where_it_was(archive: Archive, tmp_path: Path) -> None:
    published = archive.publish(FILE, ROWS).read_bytes()
    archive.cuts[FILE.path] = [1000, 0, 700]
    assert fetch(archive, tmp_path) == published
    assert [begin for path, begin in archive.requests if path == FILE.path] == [
        None,
        "bytes=1000-",
        "bytes=1000-",
        "bytes=1700-",
    ]


def test_what_an_earlier_process_fetched_is_continued(archive: Archive, tmp_path: Path) -> None:
    published = archive.publish(FILE, ROWS).read_bytes()
    archive.cuts[FILE.path] = [1200] + [0] * 20
    with pytest.raises(FeedError, match="broke off at byte 1200"):
        fetch(archive, tmp_path)
    archive.cuts.clear()
    assert fetch(archive, tmp_path) == published
    assert archive.requests[-1] == (FILE.path, "bytes=1200-")


def test_what_is_here_is_not_fetched_again(archive: Archive, tmp_path: Path) -> None:
    archive.publish(FILE, ROWS)
    fetch(archive, tmp_path)
    fetch(archive, tmp_path)
    assert archive.asked() == [FILE.path]


def test_a_file_with_another_checksum_is_refused_in_one_line_and_not_kept(archive: Archive, tmp_path: Path) -> None:
    path = archive.publish(FILE, ROWS)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    folder = tmp_path / "here"
    with pytest.raises(ArchiveError) as refused:
        fetch(archive, folder)
    assert FILE.path in str(refused.value)
    assert "nothing was loaded" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(folder.iterdir()) == []


def test_a_checksum_of_another_file_is_refused(archive: Archive) -> None:
    path = archive.publish(FILE, ROWS)
    checksum = path.with_name(f"{path.name}.CHECKSUM")
    checksum.write_text(checksum.read_text().replace("BTC", "ETH"))
    with pytest.raises(ArchiveError, match=r"BTCUSDT-trades-2025-01-01\.zip'"):
        published_sha256(f"{archive.url}/{FILE.path}")


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(FeedError, match=r"http://127\.0\.0\.1:1/"):
        published_sha256(f"http://127.0.0.1:1/{FILE.path}")
