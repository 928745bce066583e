"""Trades listed by REST come whole, page by page, within the venue's budget, and go on where they broke off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mdplatform.core.errors import ArchiveError, FeedError
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.history import coinbase, deribit, download, kraken, listed
from mdplatform.history.files import Period
from mdplatform.history.layout import HistoryFile
from mdplatform_tests.history.published import Archive

DAY = date(2024, 5, 6)
BEGIN_MS = round(datetime(2024, 5, 6, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
FIRST = 700  # number of the first trade of the day before
# A trade each ten minutes of three days, two of them at one moment.
TIMES = [BEGIN_MS - DAY_MS + n // 2 * 1_200_000 for n in range(3 * 144)]
NUMBERED = [(FIRST + n, at) for n, at in enumerate(TIMES)]
OF_DAY = [number for number, at in NUMBERED if BEGIN_MS <= at < BEGIN_MS + DAY_MS]
SPOT = {"base": "BTC", "quote": "USD"}
Parameters = dict[str, str]


def deribit_row(number: int, at: int) -> dict[str, Any]:
    said = {"trade_seq": number, "trade_id": f"t{number}", "timestamp": at, "instrument_name": "BTC-PERPETUAL"}
    return said | {"price": 50000.0, "amount": 100.0, "direction": "buy" if number % 2 else "sell"}


def deribit_answer(rows: list[tuple[int, int]], count: int) -> bytes:
    trades = [deribit_row(*row) for row in rows[:count]]
    return json.dumps({"result": {"trades": trades, "has_more": len(rows) > count}}).encode()


def by_time(asked: Parameters) -> bytes:
    first, last = int(asked["start_timestamp"]), int(asked["end_timestamp"])
    return deribit_answer([row for row in NUMBERED if first <= row[1] <= last], int(asked["count"]))


def by_number(asked: Parameters) -> bytes:
    return deribit_answer([row for row in NUMBERED if row[0] >= int(asked["start_seq"])], int(asked["count"]))


def by_id(asked: Parameters) -> bytes:
    """Coinbase: newest first, before an id."""
    rows = [row for row in NUMBERED if row[0] < int(asked.get("after", 10**9))][::-1][: int(asked["limit"])]
    times = [datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for _, at in rows]
    return json.dumps(
        [
            {"trade_id": number, "price": "50000", "size": "0.5", "side": "sell" if number % 2 else "buy", "time": time}
            for (number, _), time in zip(rows, times, strict=True)
        ]
    ).encode()


def since(asked: Parameters) -> bytes:
    """Kraken: after a time in ns; trades of one moment are not parted."""
    later = [row for row in NUMBERED if row[1] * 10**6 > int(asked["since"])]
    count = int(asked["count"])
    while 0 < count < len(later) and later[count][1] == later[count - 1][1]:
        count += 1
    rows = later[:count]
    page = [["50000", "0.5", at / 1000, "b" if number % 2 else "s", "l", "", number] for number, at in rows]
    return json.dumps(
        {"error": [], "result": {"XXBTZUSD": page, "last": str(rows[-1][1] * 10**6 if rows else asked["since"])}}
    ).encode()


@dataclass(frozen=True)
class Example:
    module: Any
    instrument: Instrument
    calls: dict[str, Callable[[Parameters], bytes | None]]
    id: Callable[[int], str] = str
    qty: float = 0.5


PERPETUAL = Instrument(
    exchange="deribit",
    venue_symbol="BTC-PERPETUAL",
    base="BTC",
    quote="USD",
    kind=Kind.PERPETUAL,
    contract_size="1",
    inverse=True,
)
EXAMPLES = {
    "deribit": Example(
        deribit,
        PERPETUAL,
        {"public/get_last_trades_by_instrument_and_time": by_time, "public/get_last_trades_by_instrument": by_number},
        lambda number: f"t{number}",
        0.002,
    ),
    "coinbase": Example(
        coinbase,
        Instrument(exchange="coinbase", venue_symbol="BTC-USD", **SPOT),
        {"products/BTC-USD/trades": by_id},
    ),
    "kraken": Example(
        kraken, Instrument(exchange="kraken", venue_symbol="BTC/USD", **SPOT), {"0/public/Trades": since}
    ),
}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Example:
    """A venue whose pages hold 20 trades."""
    one = EXAMPLES[request.param]
    archive.calls.update(one.calls)
    monkeypatch.setattr(one.module, "PAGE", 20)
    return one


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long each call had to wait; nobody does."""
    waited: list[float] = []
    monkeypatch.setattr(listed.time, "sleep", waited.append)
    return waited


def load(example: Example, archive: Archive, folder: Path, notes: list[str] | None = None) -> pa.Table:
    instrument = example.instrument
    file = HistoryFile(instrument.exchange, "trades", instrument.venue_symbol, Period((DAY,)), instrument.symbol)
    brought = file.publisher.bring(archive.url, file, instrument, folder, None)
    assert brought is not None
    said: list[str] = [] if notes is None else notes
    tables: Iterator[pa.Table] = file.publisher.rows(brought.paths, file, instrument, True, said.append)
    return pa.concat_tables(tables).sort_by([("venue_time", "ascending"), ("id", "ascending")])


def test_a_day_comes_whole_and_nothing_of_its_neighbours(example: Example, archive: Archive, tmp_path: Path) -> None:
    table = load(example, archive, tmp_path)
    assert table["id"].to_pylist() == [example.id(number) for number in OF_DAY]
    assert table["side"].to_pylist() == ["buy" if number % 2 else "sell" for number in OF_DAY]
    assert set(table["qty"].to_pylist()) == {example.qty}
    assert set(table["provenance"].to_pylist()) == {"archive"}
    bounds = table["timestamp"].to_pylist()
    midnight = datetime(2024, 5, 6, tzinfo=UTC)
    assert (min(bounds), max(bounds)) == (midnight, midnight + timedelta(days=1, minutes=-20))


def test_calls_keep_to_the_budget_of_the_venue(
    example: Example, archive: Archive, tmp_path: Path, waits: list[float]
) -> None:
    load(example, archive, tmp_path)
    calls, seconds = listed.venue(example.instrument.exchange).rest_budget
    assert len(waits) == len(archive.requests) > 7
    # Nobody waited, so that each call is due one turn after the moment of the one before.
    assert all(0 <= wait <= seconds / calls for wait in waits)
    assert sum(wait > seconds / calls / 2 for wait in waits) > len(waits) / 2


def test_what_breaks_off_goes_on_with_the_next_page(
    example: Example, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load(example, archive, tmp_path / "whole")
    pages = len(archive.requests)
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    archive.requests.clear()
    working = dict(archive.calls)
    left = [pages - 3]

    def limited(answer: Callable[[Parameters], bytes | None]) -> Callable[[Parameters], bytes | None]:
        def one(asked: Parameters) -> bytes | None:
            left[0] -= 1
            return answer(asked) if left[0] >= 0 else None

        return one

    archive.calls.update({path: limited(answer) for path, answer in working.items()})
    with pytest.raises(FeedError):
        load(example, archive, tmp_path)
    (part,) = tmp_path.glob("*.part")
    with part.open("ab") as file:
        file.write(b'{"half of a pa')  # as a process leaves it that dies while it writes
    archive.calls.update(working)
    archive.requests.clear()
    assert load(example, archive, tmp_path) == whole
    assert len(archive.requests) == 3


def test_numbers_that_the_venue_does_not_list_are_said(
    example: Example, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, notes = OF_DAY[60], list[str]()
    monkeypatch.setitem(globals(), "NUMBERED", [row for row in NUMBERED if row[0] != lost])
    assert load(example, archive, tmp_path, notes).num_rows == len(OF_DAY) - 1
    (note,) = notes
    assert note.endswith(f"all but 1, {lost} the first of them")


def test_an_answer_that_is_no_page_is_one_line_about_the_day(
    example: Example, archive: Archive, tmp_path: Path
) -> None:
    archive.calls.update(dict.fromkeys(example.calls, lambda asked: b"<html>maintenance</html>"))
    with pytest.raises(ArchiveError, match=f"of {example.instrument.exchange} of {DAY} does not read as documented"):
        load(example, archive, tmp_path)
    archive.calls.update(example.calls)
    assert load(example, archive, tmp_path).num_rows == len(OF_DAY)
