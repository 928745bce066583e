"""One thread that reads the end of the topics into the board.

Topics are looked for again and again, so those that appear later (a new venue, a broker that was empty) are read too.
"""

from __future__ import annotations

import logging
import threading
import time

from mdplatform.bus.reader import Follower
from mdplatform.bus.subscription import topic_names
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.health import Health, now_ms
from mdplatform.dashboard.messages import DECODERS

log = logging.getLogger(__name__)

BATCH = 500
# A batch is handed over when it is full or so old: part of the time from a message to the screen.
WAIT_S = 0.05
IDLE_S = 0.25  # while nothing comes: what remains to be noticed is that it is to end
LOOK_EVERY_S = 2.0
# So that a page opened beside a feed that has fallen silent still shows its last book and state.
TAIL_MESSAGES = 200


class Reader:
    """Reads until stopped; ``health`` says whether there is a broker to read from."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self.board = board
        self.health = Health(settings.kafka_brokers, now_ms())
        topics = Topics.from_settings(settings)
        datasets = {dataset: topic_names(topics[dataset]) for dataset in DECODERS}
        self._follower = Follower(settings, datasets, TAIL_MESSAGES, "mdplatform-dashboard")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when it has closed its connections."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            look_at = 0.0
            while not self._stopping.is_set():
                if time.monotonic() >= look_at:
                    self._look()
                    look_at = time.monotonic() + LOOK_EVERY_S
                for dataset, message in self._follower.take(WAIT_S, BATCH, IDLE_S):
                    self.board.take(dataset, message.value, message.timestamp_ms)
                    self.health.last_message_ms = now_ms()
        finally:
            self.health.reach.turn("stopped", now_ms(), "the page no longer reads")
            self._follower.close()

    def _look(self) -> None:
        """Shows whether the broker answers, and what there is to read."""
        try:
            self._follower.look()
        except BusError as error:
            if self.health.reach.turn("unreachable", now_ms(), str(error)):
                log.warning("broker %s is unreachable: %s", self.health.brokers, error)
            return
        self.health.partitions = self._follower.partitions
        if self.health.reach.turn("reachable", now_ms()):
            log.info("broker %s is reachable; reading %d partitions", self.health.brokers, self.health.partitions)
