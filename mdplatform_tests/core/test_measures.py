"""Definitions shared by SQL and consumers."""

import pytest

from mdplatform.core.measures import imbalance, mid, spread_bps


def test_spread_is_in_basis_points_of_the_mid() -> None:
    assert mid(99.0, 101.0) == 100.0
    assert spread_bps(99.0, 101.0) == pytest.approx(200.0)


def test_imbalance_is_one_when_all_is_bid_and_none_without_size() -> None:
    assert imbalance(5.0, 0.0) == 1.0
    assert imbalance(1.0, 3.0) == -0.5
    assert imbalance(0.0, 0.0) is None
