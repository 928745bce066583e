"""Subscriptions without a socket: pace, deadlines from the sending, refusals that cost nobody else."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import ChannelKind, Output, Reconnect, Send
from mdplatform.venuekit.liveness import ACK_NS
from mdplatform.venuekit.subscriptions import RETRY_NS, Subscriptions, Terms, Verb

STEP_NS = SECOND // 5


class Symbol:
    """One symbol with one feed of trades."""

    def __init__(self, name: str) -> None:
        self._feed = FeedState("venue", name, "trades")

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]:
        return [*self._feed.valid("subscribed", None, now_ns)] if self._feed.state == "resync" else []

    def feed(self, kind: ChannelKind) -> FeedState:
        return self._feed


class Desk:
    """Subscriptions to ``names``, and a venue that answers each request by ``answer(verb, topics)``: an error or None.

    ``answers``: whether a reply comes at all.
    """

    def __init__(self, names: Iterable[str], terms: Terms, bad: Iterable[str] = (), names_bad: bool = False) -> None:
        self.symbols = {name: Symbol(name) for name in names}
        self.bad, self.names_bad = set(bad), names_bad
        self.silent: Callable[[Sequence[str]], bool] = lambda topics: False
        self.subscriptions: Subscriptions[str] = Subscriptions(terms, self._write, self._feeds)
        self.sent: list[tuple[int, Verb, list[str]]] = []  # time, verb, topics
        self.statuses: list[FeedStatus] = []
        self.reconnects: list[str] = []
        self.now_ns = 0
        self._asked: list[tuple[Verb, list[str], int]] = []

    def _write(self, verb: Verb, topics: Sequence[str], number: int) -> bytes:
        self._asked.append((verb, list(topics), number))
        self.sent.append((self.now_ns, verb, list(topics)))
        return b"{}"

    def _feeds(self, topic: str) -> list[tuple[Symbol, ChannelKind]]:
        return [(self.symbols[topic], "trades")]

    def connect(self) -> None:
        for symbol in self.symbols.values():
            self._keep(symbol.feed("trades").invalid("resync", "subscribing", self.now_ns))
        self._keep(self.subscriptions.connected(self.symbols, self.now_ns))

    def run(self, seconds: float) -> None:
        """Time passes in the steps of a collector; each request is answered a step later."""
        end_ns = self.now_ns + int(seconds * SECOND)
        while self.now_ns < end_ns:
            self.now_ns += STEP_NS
            self.answer()
            self._keep(self.subscriptions.tick(self.now_ns))

    def answer(self) -> None:
        asked, self._asked = self._asked, []
        for verb, topics, number in asked:
            wrong = [topic for topic in topics if topic in self.bad]
            if self.silent(topics):
                continue
            if wrong and verb == "subscribe":
                named = wrong if self.names_bad else None
                self._keep(self.subscriptions.refused("no such topic", self.now_ns, number, named).outputs)
            else:
                self._keep(self.subscriptions.confirmed(self.now_ns, number, verb=verb))

    def states(self) -> dict[str, str | None]:
        return {name: symbol.feed("trades").state for name, symbol in self.symbols.items()}

    def _keep(self, outputs: Iterable[Output]) -> None:
        self.statuses += [output for output in outputs if isinstance(output, FeedStatus)]
        self.reconnects += [output.cause for output in outputs if isinstance(output, Reconnect)]
        assert all(output.paced for output in outputs if isinstance(output, Send))


def names(count: int) -> list[str]:
    return [f"S{n:03}" for n in range(count)]


@pytest.mark.parametrize("size", [1, 10, 100])
def test_three_hundred_topics_stand_in_the_time_that_the_pace_allows(size: int) -> None:
    desk = Desk(names(300), Terms(size, pace=(3, 1.0)))
    desk.connect()
    desk.run(300 / size / 3 + 1)
    assert set(desk.states().values()) == {"valid"}
    assert not desk.reconnects


def test_no_window_of_the_pace_holds_more_requests_than_it_may() -> None:
    desk = Desk(names(60), Terms(1, pace=(3, 1.0)))
    desk.connect()
    desk.run(30)
    times = [at for at, _, _ in desk.sent]
    assert len(times) == 60
    assert all(later - earlier >= SECOND for earlier, later in zip(times, times[3:], strict=False))


def test_no_more_requests_wait_for_their_answers_than_allowed() -> None:
    desk = Desk(names(30), Terms(1, pace=(100, 1.0), in_flight=4))
    desk.connect()
    assert len(desk.sent) == 4


def test_the_deadline_counts_from_the_sending() -> None:
    """The last of these leaves 20 s after it was queued; each answer takes 9 s."""
    desk = Desk(names(60), Terms(1, pace=(3, 1.0), in_flight=100))
    desk.connect()
    pending: list[tuple[int, str]] = []
    for _ in range(35 * 5):
        desk.now_ns += STEP_NS
        desk._keep(desk.subscriptions.tick(desk.now_ns))
        pending = [(at, topics[0]) for at, _, topics in desk.sent]
        for at, topic in pending:
            if desk.now_ns - at >= 9 * SECOND and desk.symbols[topic].feed("trades").state != "valid":
                desk._keep(desk.subscriptions.confirmed(desk.now_ns, topics=[topic]))
    assert set(desk.states().values()) == {"valid"}
    assert not desk.reconnects


def test_a_connection_that_answers_nothing_is_given_up_once() -> None:
    desk = Desk(names(3), Terms(1))
    desk.silent = lambda topics: True
    desk.connect()
    desk.run(30)
    assert desk.reconnects == ["subscribe_timeout"]


def test_one_topic_without_an_answer_is_repeated_then_marked_and_the_others_stand() -> None:
    desk = Desk(names(5), Terms(1))
    desk.silent = lambda topics: "S002" in topics
    desk.connect()
    desk.run(30)
    assert desk.states() == {name: "down" if name == "S002" else "valid" for name in names(5)}
    assert [topics for _, _, topics in desk.sent].count(["S002"]) == 2
    assert not desk.reconnects
    assert desk.statuses[-1].cause == "subscribe_timeout"


@pytest.mark.parametrize("names_bad", [True, False])
@pytest.mark.parametrize("bad", [["S000"], ["S059"], ["S010", "S011", "S059"]])
def test_bad_topics_of_a_request_cost_no_other(bad: list[str], names_bad: bool) -> None:
    desk = Desk(names(60), Terms(60), bad, names_bad)
    desk.connect()
    desk.run(15)
    assert {name for name, state in desk.states().items() if state == "down"} == set(bad)
    assert {name for name, state in desk.states().items() if state == "valid"} == set(names(60)) - set(bad)
    assert {status.cause for status in desk.statuses if status.state == "down"} == {"refused"}
    progress = desk.subscriptions.progress()
    assert (progress.wanted, progress.held, set(progress.refused)) == (60, 60 - len(bad), set(bad))
    assert progress.is_complete


@pytest.mark.parametrize("bad", [["S000"], ["S010", "S011", "S059"]])
def test_errors_that_name_nothing_one_for_each_bad_topic_cost_no_other(bad: list[str]) -> None:
    class Nameless(Desk):
        def answer(self) -> None:
            asked, self._asked = self._asked, []
            for verb, topics, _ in asked:
                for topic in topics:
                    if topic in self.bad:
                        self._keep(self.subscriptions.refused("no such topic", self.now_ns).outputs)
                    else:
                        self._keep(self.subscriptions.confirmed(self.now_ns, None, [topic], verb))

    desk = Nameless(names(60), Terms(60, in_flight=1, settle_s=2.0), bad)
    desk.connect()
    desk.run(15)
    assert {name for name, state in desk.states().items() if state == "down"} == set(bad)
    assert {name for name, state in desk.states().items() if state == "valid"} == set(names(60)) - set(bad)


def test_one_bad_topic_of_sixty_is_found_in_few_requests() -> None:
    desk = Desk(names(60), Terms(60), ["S037"])
    desk.connect()
    desk.run(15)
    assert len(desk.sent) <= 1 + 2 * 6


def test_what_is_refused_stays_refused_over_reconnects_and_is_asked_for_again_later() -> None:
    desk = Desk(names(3), Terms(3), ["S001"], names_bad=True)
    desk.connect()
    desk.run(2)
    desk.subscriptions.closed("cut", desk.now_ns)
    desk.sent.clear()
    desk.connect()
    desk.run(2)
    assert [topics for _, _, topics in desk.sent] == [["S000", "S002"]]
    assert desk.states()["S001"] == "down"
    desk.bad.clear()
    desk.now_ns += RETRY_NS
    desk.run(2)
    assert set(desk.states().values()) == {"valid"}


def test_a_changed_list_has_the_refused_topics_asked_for_again() -> None:
    desk = Desk(names(3), Terms(3), ["S001"], names_bad=True)
    desk.connect()
    desk.run(2)
    desk.bad.clear()
    desk._keep(desk.subscriptions.retry_refused(desk.now_ns))
    desk.run(2)
    assert set(desk.states().values()) == {"valid"}


@pytest.mark.parametrize("bad", [["S000"], ["S007"], ["S011"], ["S002", "S009"]])
def test_topics_that_close_the_connection_are_found_and_the_others_stand(bad: list[str]) -> None:
    desk = Desk(names(12), Terms(1, pace=(10, 1.0), in_flight=4, closes_on_bad=True), bad)
    connections = 1
    desk.connect()
    for _ in range(60):
        desk.now_ns += STEP_NS
        asked = [topics[0] for _, topics, _ in desk._asked]
        wrong = next((topic for topic in asked if topic in bad), None)
        if wrong is not None:  # what was answered before it is answered; then the end
            desk._asked = desk._asked[: asked.index(wrong)]
            desk.answer()
            desk.subscriptions.closed("cut", desk.now_ns)
            connections += 1
            desk.connect()
        else:
            desk.answer()
            desk._keep(desk.subscriptions.tick(desk.now_ns))
    assert {name for name, state in desk.states().items() if state == "down"} == set(bad)
    assert {name for name, state in desk.states().items() if state == "valid"} == set(names(12)) - set(bad)
    assert connections <= 1 + 3 * len(bad)


def test_what_is_refused_is_requested_again_with_growing_intervals() -> None:
    desk = Desk(names(2), Terms(10), ["S001"], names_bad=True)
    desk.connect()
    desk.run(3600)
    times = [at // SECOND for at, _, topics in desk.sent if "S001" in topics]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert [round(pause / 60) for pause in pauses] == [1, 2, 4, 8, 16]


def test_what_closes_the_connection_is_asked_for_again_only_on_another_that_is_new_anyway() -> None:
    desk = Desk(names(4), Terms(1, pace=(100, 1.0), closes_on_bad=True), ["S001"])
    for _ in range(3):
        desk.connect()
        while not any(topics == ["S001"] for _, topics, _ in desk._asked):
            desk.answer()
        desk._asked = [asked for asked in desk._asked if asked[1] != ["S001"]]
        desk.answer()
        desk.subscriptions.closed("cut", desk.now_ns)
    desk.connect()
    desk.sent.clear()
    desk.run(600)
    assert not [topics for _, _, topics in desk.sent if "S001" in topics]
    desk.bad.clear()
    desk.subscriptions.closed("cut", desk.now_ns)
    desk.connect()
    desk.run(10)
    assert set(desk.states().values()) == {"valid"}


def test_a_connection_that_is_cut_once_refuses_nothing() -> None:
    desk = Desk(names(12), Terms(1, pace=(100, 1.0), closes_on_bad=True))
    desk.connect()
    desk.subscriptions.closed("cut", desk.now_ns)
    desk._asked.clear()
    desk.connect()
    desk.run(10)
    assert set(desk.states().values()) == {"valid"}


def test_a_venue_that_closes_every_connection_at_once_refuses_nothing() -> None:
    desk = Desk(names(12), Terms(1, pace=(100, 1.0), closes_on_bad=True))
    for _ in range(40):
        desk.connect()
        desk._asked.clear()
        desk.subscriptions.closed("cut", desk.now_ns)
    desk.connect()
    desk.run(10)
    assert set(desk.states().values()) == {"valid"}


def test_what_closes_the_connection_is_refused_with_its_kin() -> None:
    """Four topics of a coin that the venue does not know cost three connections, not nine."""
    desk = Desk(names(12), Terms(1, pace=(100, 1.0), in_flight=4, closes_on_bad=True), names(4))
    desk.subscriptions = Subscriptions(
        desk.subscriptions.terms, desk._write, desk._feeds, kin=lambda name: "bad" if name in desk.bad else name
    )
    for _ in range(3):
        desk.connect()
        while not desk.bad.intersection(topics[0] for _, topics, _ in desk._asked):
            desk.answer()
        desk._asked.clear()
        desk.subscriptions.closed("cut", desk.now_ns)
    desk.connect()
    desk.run(10)
    assert {name for name, state in desk.states().items() if state == "down"} == desk.bad
    assert {name for name, state in desk.states().items() if state == "valid"} == set(names(12)) - desk.bad


def test_what_is_renewed_is_ended_and_asked_for_again_but_not_twice() -> None:
    desk = Desk(names(2), Terms(10))
    desk.connect()
    desk.run(1)
    desk.sent.clear()
    desk._keep(desk.subscriptions.renew(["S001"], desk.now_ns))
    desk._keep(desk.subscriptions.renew(["S001"], desk.now_ns))
    assert [(verb, topics) for _, verb, topics in desk.sent] == [("unsubscribe", ["S001"]), ("subscribe", ["S001"])]


def test_what_is_refused_is_not_renewed() -> None:
    desk = Desk(names(2), Terms(10), ["S001"], names_bad=True)
    desk.connect()
    desk.run(1)
    desk.sent.clear()
    assert desk.subscriptions.renew(["S001"], desk.now_ns) == []


def test_where_the_requests_of_an_hour_are_spent_the_connection_is_renewed() -> None:
    desk = Desk(names(1), Terms(1, pace=(100, 1.0), hourly=5))
    desk.connect()
    desk.run(1)
    for _ in range(3):
        desk._keep(desk.subscriptions.renew(["S000"], desk.now_ns))
        desk.run(1)
    assert desk.reconnects[0] == "requests_spent"
    assert len(desk.sent) == 5


def test_an_answer_that_says_not_what_it_answers_is_of_the_oldest_request() -> None:
    desk = Desk(names(2), Terms(1, in_flight=1))
    desk.connect()
    desk._keep(desk.subscriptions.confirmed(desk.now_ns))
    assert desk.states() == {"S000": "valid", "S001": "resync"}
    assert [topics for _, _, topics in desk.sent] == [["S000"], ["S001"]]


def test_an_unanswered_end_of_a_subscription_costs_nothing() -> None:
    desk = Desk(names(1), Terms(1))
    desk.connect()
    desk.run(1)
    desk._keep(desk.subscriptions.renew(["S000"], desk.now_ns))
    desk._asked = [asked for asked in desk._asked if asked[0] != "unsubscribe"]
    desk.run(ACK_NS / SECOND + 2)
    assert not desk.reconnects
    assert desk.subscriptions.progress().is_complete


def test_what_is_confirmed_by_a_number_is_what_was_asked_under_it() -> None:
    desk = Desk(["A"], Terms(1))
    desk.connect()
    desk.run(1)
    desk.subscriptions.renew(["A"], desk.now_ns)
    ended, begun = (number for verb, _, number in desk._asked)
    desk._asked.clear()
    desk.subscriptions.confirmed(desk.now_ns, ended)
    assert desk.subscriptions.progress().held == 0
    desk.subscriptions.confirmed(desk.now_ns, begun)
    assert desk.subscriptions.progress().held == 1


def test_where_the_venue_wants_a_pause_after_opening_the_first_request_leaves_after_it() -> None:
    desk = Desk(["A", "B"], Terms(1, opening_s=1.0))
    desk.connect()
    assert desk.sent == []
    desk.run(3.0)
    assert [at_ns for at_ns, _, _ in desk.sent] == [SECOND, SECOND]
    assert not desk.reconnects
