"""Tapes of bad days through a replay into a running line: what can be stored is, and holds nothing up."""

from __future__ import annotations

from pathlib import Path

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.core.settings import Settings
from mdplatform.recordings.player import Player
from mdplatform.recordings.replay_tape import replay
from mdplatform.recordings.tape import read_lines
from mdplatform.venues import venue_ids
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.warehouse.conftest import Attach
from mdplatform_tests.warehouse.topics import shows


def replayed(tape: Path, venue: str, channels: tuple[str, ...], settings: Settings) -> None:
    Admin(settings).ensure([*platform_topics(settings, venue_ids()), *all_topics_read(settings)])
    migrate(settings)
    replay(Player(venue, channels=channels), venue, read_lines(tape), settings, None, lambda progress: None)


def test_trades_of_three_hundred_days_are_stored_and_hold_nothing_up(
    streaming: Settings, attach: Attach, shared_data: Path
) -> None:
    client = attach()
    replayed(shared_data / "dirty" / "trades_over_300_days.deribit.txt", "deribit", ("trades",), streaming)
    shows(client, "SELECT count(), uniqExact(toDate(timestamp)) FROM md_trades", [(150, 150)])
    shows(client, "SELECT count() FROM md_dead_letter", [(0,)])


def test_an_emptied_book_is_the_newest_and_has_no_top(streaming: Settings, attach: Attach, shared_data: Path) -> None:
    client = attach()
    replayed(shared_data / "dirty" / "emptied_book.kraken.txt", "kraken", ("book",), streaming)
    newest = "ORDER BY timestamp DESC, sequence DESC LIMIT 1"
    shows(client, f"SELECT b, a FROM md_orderbook_depth {newest}", [([], [])])
    shows(client, f"SELECT bid_price, ask_price, mid FROM md_top_of_book {newest}", [(None, None, None)])
    shows(client, "SELECT count() FROM md_dead_letter", [(0,)])
