"""Tapes: what is written is read back, in every form that recordings come in."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdplatform.core.errors import ConfigError
from mdplatform.recordings.tape import Entry, TapeWriter, Unreadable, parse, read_lines, tape_line


def entries(*lines: bytes) -> list[Entry | Unreadable]:
    return list(parse(lines))


@pytest.mark.parametrize(
    "time", [b"1723161254", b"1723161254000", b"1723161254000000", b"1723161254000000000", b"1723161254.000"]
)
def test_the_time_may_be_in_any_unit(time: bytes) -> None:
    assert entries(time + b' {"a": 1}\n') == [Entry(1723161254 * 10**9, b'{"a": 1}')]


@given(st.lists(st.tuples(st.integers(10**18, 2 * 10**18), st.binary(max_size=60))))
def test_any_frame_is_read_back_as_it_was(frames: list[tuple[int, bytes]]) -> None:
    tape = b"".join(tape_line(received_ns, frame) for received_ns, frame in frames)
    assert list(parse(tape.splitlines(keepends=True))) == [Entry(received_ns, frame) for received_ns, frame in frames]


@pytest.mark.parametrize("name", ["tape.txt", "tape.txt.gz"])
def test_a_tape_grows_and_is_read_to_its_end(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for number in (1, 2):
        with TapeWriter(path) as tape:
            tape.write(number * 10**18, b'{"n":%d}' % number)
    assert [entry.frame for entry in parse(read_lines(path)) if isinstance(entry, Entry)] == [b'{"n":1}', b'{"n":2}']


def test_gzip_is_recognized_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "no_suffix"
    path.write_bytes(gzip.compress(b"1 {}\n"))
    assert list(read_lines(path)) == [b"1 {}\n"]


def test_a_gzip_file_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"1 {}\n" * 1000)[:-9])
    with pytest.raises(ConfigError, match="cut short"):
        list(read_lines(path))


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read tape .*No such file"):
        list(read_lines(tmp_path / "nowhere"))


def test_lines_of_a_capture_are_distinguished() -> None:
    assert entries(
        b"wss://host/path <-> 1618677816.8434298\n",
        b'wss://host/path <- 1618677817.020616: {"op":"subscribe"}\n',
        b'1618677817.0618958: {"n":1}\n',
        b'https://host/depth?x=1 -> 1618677818.5: {"n":2}\n',
        b'configuration: {"trades": []}\n',
        b"\n",
    ) == [
        Entry(1618677817_061895800, b'{"n":1}'),
        Entry(1618677818_500000000, b'{"n":2}', "answer"),
    ]


@pytest.mark.parametrize(
    "line", [b"{}", b"soon {}", b"12", b"0 {}", b"-5 {}", b"99999999999999999999 {}", b"5 !base64 *", b"\xff\xfe"]
)
def test_any_other_line_is_kept_with_its_number(line: bytes) -> None:
    (first, second) = entries(b"1723161254 {}\n", line + b"\n")
    assert isinstance(first, Entry)
    assert isinstance(second, Unreadable)
    assert (second.number, second.line) == (2, line)
    assert second.problem.startswith("line 2: ")


def test_lines_may_end_as_on_windows() -> None:
    assert entries(b"1723161254 {}\r\n") == [Entry(1723161254 * 10**9, b"{}")]


@pytest.mark.parametrize("body", [b'{"a":1}', b'{\n"a":1}', b"", b"!rest x y", b"!base64 x"])
def test_an_answer_keeps_what_it_answers(body: bytes) -> None:
    line = tape_line(1_790_000_000_000_000_000, body, "/api/v3/trades?symbol=A B&x=%22y%22")
    [entry] = parse([line])
    assert entry == Entry(1_790_000_000_000_000_000, body, "answer", "/api/v3/trades?symbol=A%20B&x=%22y%22")


@pytest.mark.parametrize("frame", [b'{"a":1}', b"", b"!socket x y", b"!rest x y"])
def test_a_frame_keeps_the_path_of_its_socket(frame: bytes) -> None:
    [entry] = parse([tape_line(1_790_000_000_000_000_000, frame, path="/v5/public/spot")])
    assert entry == Entry(1_790_000_000_000_000_000, frame, path="/v5/public/spot")


def test_a_frame_that_looks_like_an_answer_stays_a_frame() -> None:
    [entry] = parse([tape_line(1_790_000_000_000_000_000, b"!rest /x {}")])
    assert entry == Entry(1_790_000_000_000_000_000, b"!rest /x {}")
