"""A topic template is subscribed to by its name or by an expression for all exchanges."""

import re

import pytest

from mdplatform.bus.subscription import topic_names, topic_pattern


def test_a_template_without_exchange_is_its_own_name() -> None:
    assert topic_pattern("md.orderbook.normalized") == "md.orderbook.normalized"


@pytest.mark.parametrize(
    ("topic", "fits"),
    [("trades.binance", True), ("trades.binance-usdm", True), ("tradesXbinance", False), ("trades.binance.old", False)],
)
def test_a_template_with_exchange_fits_exactly_its_topics(topic: str, fits: bool) -> None:
    assert bool(re.search(topic_pattern("trades.{exchange}"), topic)) is fits


def test_the_exchange_may_be_in_the_middle() -> None:
    assert re.search(topic_pattern("md.{exchange}.books"), "md.okx.books")


@pytest.mark.parametrize(("topic", "fits"), [("md.books", True), ("mdxbooks", False), ("md.books.old", False)])
def test_the_topic_of_a_template_without_exchange_is_matched_to_the_letter(topic: str, fits: bool) -> None:
    assert bool(topic_names("md.books").fullmatch(topic)) is fits
