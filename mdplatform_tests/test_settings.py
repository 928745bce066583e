from __future__ import annotations

import pytest

from mdplatform.errors import ConfigError
from mdplatform.settings import addresses, hide, load


def test_settings_have_defaults_and_take_the_environment() -> None:
    assert load({}).kafka_brokers == "127.0.0.1:9092"
    assert load({"KAFKA_BROKERS": "a:1,b:2", "MDPLATFORM_DEPTH": "50"}).depth == 50


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MDPLATFORM_DEPTH", "deep"),
        ("MDPLATFORM_DEPTH", "0"),
        ("MDPLATFORM_KEEP_RAW", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("CLICKHOUSE_URL", "127.0.0.1:8123"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        load({variable: value})


def test_an_empty_variable_is_an_absent_one() -> None:
    assert load({"MDPLATFORM_DEPTH": ""}).depth == 20


def test_passwords_are_hidden_where_settings_are_shown() -> None:
    settings = load({"CLICKHOUSE_URL": "http://writer:s3cret@db.example:8443/?secure=1"})
    assert "s3cret" not in str(settings.shown())
    assert hide(settings.clickhouse_url) == "http://writer:***@db.example:8443/?secure=1"


def test_credentials_are_a_venues_own_and_shown_nowhere() -> None:
    pair = {"MDPLATFORM_DERIBIT_CLIENT_ID": "an-id", "MDPLATFORM_DERIBIT_CLIENT_SECRET": "s3cret"}
    settings = load(pair)
    assert settings.credentials("deribit") == ("an-id", "s3cret")
    assert settings.credentials("binance-usdm") is None
    assert not any(secret in f"{settings} {settings.shown()}" for secret in pair.values())


@pytest.mark.parametrize("half", ["MDPLATFORM_DERIBIT_CLIENT_ID", "MDPLATFORM_DERIBIT_CLIENT_SECRET"])
def test_half_a_pair_of_credentials_is_refused(half: str) -> None:
    with pytest.raises(ConfigError, match=r"MDPLATFORM_DERIBIT_CLIENT_ID and .* one is missing"):
        load({half: "x"}).credentials("deribit")


def test_addresses_are_read_by_venue() -> None:
    assert addresses("binance=ws://a:1; coinbase=ws://b:2/x", "V") == {"binance": "ws://a:1", "coinbase": "ws://b:2/x"}


@pytest.mark.parametrize("text", ["binance", "=ws://a", "binance=a:1"])
def test_a_wrong_address_list_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ConfigError, match="MDPLATFORM_WS_URLS"):
        addresses(text, "MDPLATFORM_WS_URLS")
