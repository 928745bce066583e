"""One market for all faults, a line for each, and the ledger that is printed of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mdplatform_tests.chaos.account import Account
from mdplatform_tests.chaos.dayledger import Entry, text
from mdplatform_tests.chaos.line import Line, running
from mdplatform_tests.chaos.market import Market, open_market

LEDGER = pytest.StashKey[list[str]]()
DAY = pytest.StashKey[dict[str, dict[str, Entry]]]()
HEAD = f"{'fault':<44}{'acked':>8}{'rows':>8}{'lost':>6}{'marked':>8}{'doubled':>9}{'gaps':>6}{'recovered':>11}"
Enter = Callable[[str, Account, float], None]


@pytest.fixture(scope="session")
def market() -> Iterator[Market]:
    with open_market() as market:
        yield market


@pytest.fixture
def line(tmp_path: Path, market: Market) -> Iterator[Line]:
    """A pipeline that has started to fill its tables."""
    with running(tmp_path, market) as line:
        line.collect()
        line.until_newer()
        yield line


@pytest.fixture
def enter(request: pytest.FixtureRequest) -> Enter:
    """Enter a fault into the ledger: what became of its messages, and seconds until rows came again."""
    began = time.monotonic()

    def write(fault: str, account: Account, recovered_s: float) -> None:
        counts = f"{account.acknowledged:>8}{account.rows:>8}{len(account.lost):>6}{account.marked:>8}"
        row = f"{fault:<44}{counts}{account.doubled:>9}{account.gaps:>6}{recovered_s:>9.1f} s"
        request.config.stash.setdefault(LEDGER, []).append(row)
        plugins = request.config.pluginmanager
        with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
            plugins.get_plugin("terminalreporter").write_line(f"\n{row}   ({time.monotonic() - began:.0f} s)")

    return write


@pytest.fixture
def enter_day(request: pytest.FixtureRequest) -> Callable[[dict[str, dict[str, Entry]]], None]:
    """Enter a venue's dirty day, which is printed at the end."""

    def write(ledgers: dict[str, dict[str, Entry]]) -> None:
        request.config.stash.setdefault(DAY, {}).update(ledgers)

    return write


@pytest.fixture(scope="session")
def slow_s() -> float:
    """For how long a slow consumer is slow."""
    return float(os.environ.get("CHAOS_SLOW_SECONDS", "20"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if days := config.stash.get(DAY, {}):
        terminalreporter.section("dirty day")
        terminalreporter.write_line(text(days))
    rows = config.stash.get(LEDGER, [])
    if rows:
        terminalreporter.section("fault ledger")
        for row in (HEAD, *rows):
            terminalreporter.write_line(row)
