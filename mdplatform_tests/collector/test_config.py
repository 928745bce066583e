import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings

SYMBOLS = ("BTC-USDT", "ETH-USDT")


def test_a_shard_has_one_name_whatever_the_order_of_its_symbols() -> None:
    one, other = CollectorConfig(venue="x", symbols=SYMBOLS), CollectorConfig(venue="x", symbols=SYMBOLS[::-1])
    assert one.shard == other.shard
    assert one.shard != CollectorConfig(venue="x", symbols=SYMBOLS[:1]).shard


def test_an_address_that_is_given_comes_before_the_settings() -> None:
    settings = Settings(ws_urls="x=ws://a;y=ws://b", rest_urls="x=http://c")
    config = CollectorConfig.from_settings(settings, "x", SYMBOLS, ws_url="ws://given")
    assert (config.ws_url, config.rest_url) == ("ws://given", "http://c")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"symbols": ()}, "no symbols given for x"),
        ({"ws_url": "http://a"}, "WebSocket address of x must start with ws"),
        ({"rest_url": "a.example"}, "REST address of x must start with http"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        CollectorConfig(**{"venue": "x", "symbols": SYMBOLS} | options)  # type: ignore[arg-type]
