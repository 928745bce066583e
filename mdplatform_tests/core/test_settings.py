from __future__ import annotations

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import addresses, hide, load


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


def test_every_default_can_be_given() -> None:
    defaults = {variable: value for variable, value, _ in load({}).shown()}
    assert load(defaults | {"CLICKHOUSE_URL": load({}).clickhouse_url}) == load({})


def test_an_empty_variable_is_an_absent_one() -> None:
    assert load({"MDPLATFORM_DEPTH": ""}).depth == 20


def test_passwords_are_hidden_where_settings_are_shown() -> None:
    settings = load({"CLICKHOUSE_URL": "http://writer:s3cret@db.example:8443/?secure=1"})
    assert "s3cret" not in str(settings.shown())
    assert hide(settings.clickhouse_url) == "http://writer:***@db.example:8443/?secure=1"


@pytest.mark.parametrize("password", ["a/b", "a@b", "a?b#c", "[", "a:b", "p%20q", "\n"])
def test_a_password_is_hidden_whatever_it_is_made_of(password: str) -> None:
    settings = load({"CLICKHOUSE_URL": f"https://writer:{password}@db.example:8443"})
    assert ("CLICKHOUSE_URL", "https://writer:***@db.example:8443") in [row[:2] for row in settings.shown()]


def test_a_webhook_is_shown_by_its_host_alone() -> None:
    settings = load({"MDPLATFORM_ALERT_WEBHOOK": "https://hooks.example/services/T0/s3cret?key=s3cret"})
    assert ("MDPLATFORM_ALERT_WEBHOOK", "https://hooks.example/***") in [row[:2] for row in settings.shown()]


LOGIN = {"MDPLATFORM_KAFKA_SASL_USERNAME": "collector", "MDPLATFORM_KAFKA_SASL_PASSWORD": "s3cret"}


def test_a_brokers_login_is_read_and_shown_without_its_password() -> None:
    settings = load({"MDPLATFORM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **LOGIN})
    assert settings.kafka_sasl_password == "s3cret"
    assert "s3cret" not in f"{settings} {settings.shown()}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PROTOCOL": "TLS"}, "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"),
        ({"PROTOCOL": "SASL_SSL"}, "needs MDPLATFORM_KAFKA_SASL_USERNAME and"),
        ({"PROTOCOL": "SASL_SSL", "MECHANISM": "GSSAPI"}, "MDPLATFORM_KAFKA_SASL_MECHANISM must be one of"),
        (LOGIN, "PLAINTEXT does not log in"),
        ({"PROTOCOL": "SSL", **LOGIN}, "SSL does not log in"),
        ({"MDPLATFORM_KAFKA_CA_FILE": "ca.pem"}, "PLAINTEXT does not encrypt"),
        ({"PROTOCOL": "SSL", "MDPLATFORM_KAFKA_KEY_FILE": "key.pem"}, "must be set together"),
    ],
)
def test_half_a_protection_is_refused(given: dict[str, str], said: str) -> None:
    short = {"PROTOCOL": "MDPLATFORM_KAFKA_SECURITY_PROTOCOL", "MECHANISM": "MDPLATFORM_KAFKA_SASL_MECHANISM"}
    with pytest.raises(ConfigError, match=said):
        load({short.get(name, name): value for name, value in given.items()})


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
