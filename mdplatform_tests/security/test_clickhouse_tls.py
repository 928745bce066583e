"""ClickHouse behind TLS: our clients, and the engine's own way to a broker that is behind TLS and a login."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.security import engine_options
from mdplatform.core.errors import ConfigError, WarehouseError
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse.client import connect
from mdplatform_tests.eventually import eventually
from mdplatform_tests.security.conftest import PASSWORD, Identity, secured_by
from mdplatform_tests.security.fronts import Front, listening

COUNTED = "SELECT count() FROM store"


def https(clickhouse_url: str, front: Front) -> str:
    user = urlsplit(clickhouse_url).netloc.rpartition("@")[0]
    return f"https://{user}@{front.address}"


def test_the_warehouse_is_reached_through_tls(
    clickhouse_url: str, clickhouse_front: Front, server_identity: Identity
) -> None:
    settings = Settings(
        clickhouse_url=https(clickhouse_url, clickhouse_front), clickhouse_ca_file=str(server_identity.certificate)
    )
    with connect(settings, database="default") as client:
        assert client.command("SELECT 1") == 1


def test_a_server_that_nobody_vouches_for_is_refused_in_one_line(clickhouse_url: str, clickhouse_front: Front) -> None:
    with pytest.raises(WarehouseError, match="certificate verify failed") as refused:
        connect(Settings(clickhouse_url=https(clickhouse_url, clickhouse_front)))
    assert "\n" not in str(refused.value)
    assert urlsplit(clickhouse_url).password not in str(refused.value)


def test_a_server_with_another_hosts_certificate_is_refused(clickhouse_url: str, other_identity: Identity) -> None:
    front = Front(int(clickhouse_url.rpartition(":")[2]))
    with listening(front, front.bytes, other_identity.listener()):
        settings = Settings(
            clickhouse_url=https(clickhouse_url, front), clickhouse_ca_file=str(other_identity.certificate)
        )
        with pytest.raises(WarehouseError, match=r"127\.0\.0\.1"):
            connect(settings)
    assert front.let_in == 0


def test_a_missing_authority_file_is_named(tmp_path: Path) -> None:
    settings = Settings(clickhouse_url="https://127.0.0.1:1", clickhouse_ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"MDPLATFORM_CLICKHOUSE_CA_FILE: .*none\.pem cannot be used: No such file"):
        connect(settings)


async def test_the_engine_reads_a_broker_behind_tls_and_a_login(
    kafka_settings: Settings, sasl_front: Front, server_identity: Identity, tmp_path: Path
) -> None:
    secured = secured_by(kafka_settings, sasl_front, server_identity)
    topic = secured.topic_books
    Admin(secured).ensure([topic])
    with KafkaBus(secured) as bus:
        bus.publish(topic, b"k", b"over tls", time.time_ns())
    options = engine_options(secured)
    with (
        start(tmp_path / "node", kafka=options, kafka_password=PASSWORD) as node,
        clickhouse_connect.get_client(dsn=node.url) as client,
    ):
        client.command("CREATE TABLE store (message String) ENGINE = MergeTree ORDER BY tuple()")
        client.command(
            "CREATE TABLE queue (message String) ENGINE = Kafka SETTINGS kafka_format = 'RawBLOB', "
            f"kafka_broker_list = '{sasl_front.address}', kafka_topic_list = '{topic}', kafka_group_name = '{topic}'"
        )
        client.command("CREATE MATERIALIZED VIEW pass TO store AS SELECT message FROM queue")
        await eventually(lambda: client.command(COUNTED) == 1, 30)
        assert client.command("SELECT message FROM store") == "over tls"
        shown = client.command("SELECT count() FROM system.tables WHERE create_table_query ILIKE '%sasl%'")
        assert shown == 0
    assert readable_by_others(tmp_path) == []


def readable_by_others(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*.xml") if path.stat().st_mode & 0o077]


def test_the_engines_options_hold_no_password(kafka_settings: Settings) -> None:
    named = dataclasses.replace(
        kafka_settings, kafka_security_protocol="SASL_SSL", kafka_sasl_username="u", kafka_sasl_password="swordfish"
    )
    assert "swordfish" not in str(engine_options(named))
