"""Every Kafka client of ours through TLS and a login: encrypted, proven on both sides, or refused in plain words."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from mdplatform.bus import admin
from mdplatform.bus.admin import Admin
from mdplatform.bus.config import passing_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.bus.subscription import Subscription
from mdplatform.core.errors import BusError, ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.reader import Reader as PageReader
from mdplatform.embedded.stack import Plan, Stack
from mdplatform_tests.contract.kafka.conftest import take
from mdplatform_tests.eventually import eventually
from mdplatform_tests.security.conftest import PASSWORD, USER, Identity, identity, secured_by
from mdplatform_tests.security.fronts import Front, listening


@pytest.fixture
def secured(kafka_settings: Settings, sasl_front: Front, server_identity: Identity) -> Settings:
    """Settings with which the broker behind ``sasl_front`` is reached."""
    return secured_by(kafka_settings, sasl_front, server_identity)


def test_what_is_published_through_tls_and_a_login_is_read_back_by_every_reader(secured: Settings) -> None:
    topic = secured.topic_books
    assert Admin(secured).ensure([topic]) == []
    with KafkaBus(secured) as bus:
        for n in range(20):
            bus.publish(topic, b"k", b"%d" % n, time.time_ns())
        assert bus.flush(20) == 0
    with Reader(secured) as reader:
        assert [m.value for m in reader.tail(topic, 1)] == [b"19"]
    with Subscription(passing_config(secured, f"{topic}group", "earliest"), [topic]) as subscription:
        assert {m.value for m in take(subscription, 20)} == {b"%d" % n for n in range(20)}
        subscription.commit()
    assert sum(row.lag for row in Admin(secured).lag(f"{topic}group")) == 0


async def test_the_live_page_reads_through_tls_and_a_login(secured: Settings) -> None:
    page = PageReader(secured, Board())
    page.start()
    try:
        await eventually(lambda: page.health.reach.state == "reachable")
    finally:
        page.stop()


def test_nothing_is_let_in_without_the_login(secured: Settings, sasl_front: Front) -> None:
    before = sasl_front.let_in
    with pytest.raises(BusError):
        told(dataclasses.replace(secured, kafka_security_protocol="SSL"))
    assert sasl_front.let_in == before
    assert sasl_front.refused


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kafka_sasl_password": "guessed"}, "uthentication"),
        ({"kafka_ca_file": ""}, "certificate verify failed"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_ca_file": ""}, "does not answer"),
    ],
)
def test_a_connection_that_is_not_the_brokers_is_refused_in_one_line(
    secured: Settings, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(BusError, match=said) as refused:
        told(dataclasses.replace(secured, **wrong))
    assert "\n" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_certificate_of_another_host_is_refused(
    kafka_port: int, kafka_settings: Settings, other_identity: Identity
) -> None:
    front = Front(kafka_port)
    with listening(front, front.kafka, other_identity.listener()):
        settings = tls(kafka_settings, front, other_identity)
        with pytest.raises(BusError, match="certificate verify failed"):
            told(settings)
    assert front.let_in == 0


def test_a_client_shows_the_certificate_that_it_was_given(
    kafka_port: int, kafka_settings: Settings, server_identity: Identity, tmp_path: Path
) -> None:
    ours = identity(tmp_path, "collector", "DNS:collector")
    front = Front(kafka_port)
    with listening(front, front.kafka, server_identity.listener(client_authority=ours.certificate)):
        settings = tls(kafka_settings, front, server_identity)
        with pytest.raises(BusError):
            told(settings)
        assert front.let_in == 0
        shown = {"kafka_certificate_file": str(ours.certificate), "kafka_key_file": str(ours.key)}
        assert isinstance(Admin(dataclasses.replace(settings, **shown)).topics(), dict)


@pytest.mark.parametrize("name", ["kafka_ca_file", "kafka_certificate_file"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_holds_no_certificate_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_bytes(content)
    settings = Settings(kafka_security_protocol="SSL", **{name: str(path)})
    with pytest.raises(ConfigError, match=rf"MDPLATFORM_{name.upper()}: {path} .*cannot be used: \S"):
        Admin(settings)


def tls(settings: Settings, front: Front, trusted: Identity) -> Settings:
    return dataclasses.replace(
        settings,
        kafka_brokers=front.address,
        kafka_security_protocol="SSL",
        kafka_ca_file=str(trusted.certificate),
    )


def told(settings: Settings) -> None:
    """Ask for the topics, without much patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admin, "TIMEOUT_S", 1.5)
        Admin(settings).topics()


def test_a_login_meant_for_another_broker_is_not_the_embedded_ones(tmp_path: Path) -> None:
    environ = {
        "MDPLATFORM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "MDPLATFORM_KAFKA_SASL_USERNAME": USER,
        "MDPLATFORM_KAFKA_SASL_PASSWORD": PASSWORD,
        "MDPLATFORM_KAFKA_CA_FILE": "/nowhere/ca.pem",
    }
    for parts, protocol in (("broker", "clickhouse"), "PLAINTEXT"), (("clickhouse",), "SASL_SSL"):
        stack = Stack(Plan(tmp_path, parts, environ), lambda _: None, lambda _: None)
        assert load(stack.environ).kafka_security_protocol == protocol
