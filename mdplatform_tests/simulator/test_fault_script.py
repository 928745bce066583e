"""The fault script is understood, and what is wrong in it is reported."""

from __future__ import annotations

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.faults.script import Fault, parse_script

LINE = "at=5s drop venue=binance symbol=BTCUSDT channel=depth count=3"


def test_words_may_come_in_any_order() -> None:
    fault = Fault(action="drop", at=5.0, venue="binance", symbol="BTCUSDT", channel="depth", count=3)
    assert parse_script(LINE) == [fault]
    assert parse_script("count=3 channel=depth symbol=BTCUSDT venue=binance at=5 drop") == [fault]


def test_lines_semicolons_and_comments_part_the_faults() -> None:
    script = "# nightly\ncut venue=binance; stall for=2s # short\n\n429 retry=9"
    assert [fault.action for fault in parse_script(script)] == ["cut", "stall", "429"]


def test_json_says_the_same() -> None:
    text = '[{"fault":"drop","at":5,"venue":"binance","symbol":"BTCUSDT","channel":"depth","count":3}]'
    assert parse_script(text) == parse_script(LINE)


def test_market_events_read_as_one_would_say_them() -> None:
    script = "jump BTC -0.8%; at=2s liquidate ETH n=5 side=sell; volume SOL x10 for 5s"
    assert parse_script(script) == [
        Fault(action="jump", asset="BTC", percent=-0.8),
        Fault(action="liquidate", asset="ETH", n=5, side="sell", at=2.0),
        Fault(action="volume", asset="SOL", times=10.0, seconds=5.0),
    ]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("cut\nexplode venue=binance", "entry 2: no fault 'explode'"),
        ("venue=binance", "entry 1: no fault ''"),
        ("drop count=many", "entry 1"),
        ("drop colour=red", "entry 1"),
        ("drop cut", "given twice"),
        ("stall venue=binance", "needs for=SECONDS"),
        ("jump BTC", "needs percent=0.8"),
        ("jump 1%", "needs asset=BTC"),
        ("jump BTC 1..%", "entry 1"),
        ("volume BTC x3", "needs for=SECONDS"),
        ("volume BTC x0 for 5s", "times of volume is from 1 to 1000"),
        ("jump BTC -100%", "percent of jump is from -90 to 900"),
        ("jump BTC percent=nan", "percent of jump is from -90 to 900"),
        ("liquidate BTC n=0", "n of liquidate is from 1 to 1000"),
        ('[{"fault":"jump","asset":"BTC","percent":null}]', "needs percent=0.8"),
        ('[{"fault":', "not a JSON list"),
    ],
)
def test_what_is_wrong_is_reported(script: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_script(script)
