"""Settings: read once from a mapping (environment and ``.env``) into one frozen object.

Each field's metadata is its row in the settings table of the README: the variable's name and what it means.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdplatform.core import retention
from mdplatform.core.errors import ConfigError
from mdplatform.core.event_kinds import EVENT_KINDS
from mdplatform.core.first_hour import parse as parse_hour

KAFKA_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def setting(variable: str, default: Any, meaning: str, secret: bool = False, opaque: bool = False) -> Any:
    """A field of Settings with its variable, default and meaning. ``opaque``: any part of its addresses is secret."""
    metadata = {"variable": variable, "meaning": meaning, "secret": secret, "opaque": opaque}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True)
class _Brokers:
    kafka_brokers: str = setting("KAFKA_BROKERS", "127.0.0.1:9092", "Kafka bootstrap servers, comma-separated")


if TYPE_CHECKING:
    # ``Topics`` reads them, by the kind's name.
    class _Topics(_Brokers): ...

    class _Retention:
        retention_raw: int

else:
    _Retention = dataclasses.make_dataclass(
        "_Retention",
        [
            (f"retention_{name}", int, setting(retention.variable(name), 0, meaning))
            for name, meaning in retention.meanings().items()
        ],
        frozen=True,
    )
    _Topics = dataclasses.make_dataclass(
        "_Topics",
        [(f"topic_{kind.name}", str, setting(kind.variable, kind.topic, kind.topic_meaning)) for kind in EVENT_KINDS],
        bases=(_Brokers,),
        frozen=True,
    )


@dataclass(frozen=True)
class Settings(_Retention, _Topics):
    """Everything that can be set. Text fields are kept as given; lists are comma-separated in the environment.

    The topic of each kind of event is a field too, ``topic_<kind>``: its template, in which ``{exchange}`` may appear.
    """

    kafka_partitions: int = setting(
        "MDPLATFORM_KAFKA_PARTITIONS", 4, "partitions of each topic that `migrate` or a collector creates"
    )
    kafka_consumers: int = setting(
        "MDPLATFORM_KAFKA_CONSUMERS",
        1,
        "ClickHouse's consumers, 1 to 4, of each stream of books, their changes, quotes and trades: a thread each, "
        "no more than cores or partitions; the embedded ClickHouse has one",
    )
    kafka_retention_ms: int = setting(
        "MDPLATFORM_KAFKA_RETENTION_MS", 6 * 3600 * 1000, "retention time of each topic created, in ms"
    )
    kafka_retention_bytes: int = setting(
        "MDPLATFORM_KAFKA_RETENTION_BYTES", 64 * 1024 * 1024, "retention size of each partition created, in bytes"
    )
    kafka_security_protocol: str = setting(
        "MDPLATFORM_KAFKA_SECURITY_PROTOCOL",
        "PLAINTEXT",
        "Kafka security protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    )
    kafka_sasl_mechanism: str = setting(
        "MDPLATFORM_KAFKA_SASL_MECHANISM", "PLAIN", "SASL mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: str = setting("MDPLATFORM_KAFKA_SASL_USERNAME", "", "SASL username")
    kafka_sasl_password: str = setting("MDPLATFORM_KAFKA_SASL_PASSWORD", "", "SASL password", secret=True)
    kafka_ca_file: str = setting(
        "MDPLATFORM_KAFKA_CA_FILE", "", "CA certificate for the brokers (PEM); the system's CAs when empty"
    )
    kafka_certificate_file: str = setting(
        "MDPLATFORM_KAFKA_CERTIFICATE_FILE", "", "client certificate (PEM), for brokers that require one"
    )
    kafka_key_file: str = setting(
        "MDPLATFORM_KAFKA_KEY_FILE", "", "private key of the client certificate (PEM, without a passphrase)"
    )
    clickhouse_url: str = setting(
        "CLICKHOUSE_URL",
        "http://default@127.0.0.1:8123",
        "ClickHouse HTTP address, with user and password",
        secret=True,
    )
    clickhouse_ca_file: str = setting(
        "MDPLATFORM_CLICKHOUSE_CA_FILE",
        "",
        "CA certificate for ClickHouse over https (PEM); the system's CAs when empty",
    )
    clickhouse_reader_url: str = setting(
        "CLICKHOUSE_READER_URL",
        "",
        "ClickHouse HTTP address of a read-only user, for `query` and mdplatform.read; CLICKHOUSE_URL when empty",
        secret=True,
    )
    clickhouse_database: str = setting(
        "MDPLATFORM_DATABASE",
        "marketdata",
        "ClickHouse database that people read; the platform works in another one, named the same and _internal",
    )
    clickhouse_cluster: str = setting("MDPLATFORM_CLUSTER", "", "ClickHouse cluster (ON CLUSTER); empty on one node")
    clickhouse_kafka_brokers: str = setting(
        "MDPLATFORM_CLICKHOUSE_KAFKA_BROKERS",
        "",
        "Kafka brokers as ClickHouse reaches them; KAFKA_BROKERS when empty",
    )
    data_dir: str = setting("MDPLATFORM_DATA_DIR", ".mdplatform", "directory for the state of the embedded services")
    archive_dir: str = setting(
        "MDPLATFORM_ARCHIVE_DIR",
        "",
        "Parquet archive: a path, or a URL like s3://bucket/prefix; MDPLATFORM_DATA_DIR/archive when empty",
    )
    first_hour: str = setting(
        "MDPLATFORM_FIRST_HOUR",
        "",
        "first hour that Dagster builds, as 2026-11-30T05:00 (UTC); the first that was collected when empty",
    )
    ingest: str = setting(
        "MDPLATFORM_INGEST",
        "",
        "feeds to collect: venue:SYMBOL,SYMBOL[:channel,channel], separated by ';', e.g. binance:BTC-USDT,ETH-USDT; a "
        "rolling dated contract: BTC-USD@front-quarter (or front, next, next-quarter); a chain: BTC-USD@options",
    )
    collectors: int = setting(
        "MDPLATFORM_COLLECTORS", 1, "collectors for each feed, 1 to 4; with 2, a feed stays complete while one is down"
    )
    ws_urls: str = setting("MDPLATFORM_WS_URLS", "", "WebSocket addresses to use instead: venue=URL;venue=URL")
    rest_urls: str = setting("MDPLATFORM_REST_URLS", "", "REST addresses to use instead: venue=URL;venue=URL")
    history: str = setting(
        "MDPLATFORM_HISTORY",
        "",
        "symbols to load from public archives: venue:SYMBOL[=VENUESYMBOL],..., separated by ';'; those of "
        "MDPLATFORM_INGEST when empty",
    )
    history_urls: str = setting(
        "MDPLATFORM_HISTORY_URLS", "", "public archive addresses to use instead: venue=URL;venue=URL"
    )
    deribit_client_id: str = setting(
        "MDPLATFORM_DERIBIT_CLIENT_ID", "", "Deribit API client id, for the raw channels", secret=True
    )
    deribit_client_secret: str = setting(
        "MDPLATFORM_DERIBIT_CLIENT_SECRET", "", "Deribit API client secret", secret=True
    )
    depth: int = setting("MDPLATFORM_DEPTH", 20, "book levels per side in each published book")
    increments: str = setting(
        "MDPLATFORM_INCREMENTS",
        "none",
        "feeds whose book changes are kept, for the whole book at any instant: none, all, or venue:SYMBOL,SYMBOL, "
        "separated by ';'",
    )
    keep_raw: bool = setting("MDPLATFORM_KEEP_RAW", False, "also publish every raw frame (true or false)")
    queue_messages: int = setting("MDPLATFORM_QUEUE_MESSAGES", 50_000, "unacknowledged messages at which sockets pause")
    dashboard_token: str = setting(
        "MDPLATFORM_DASHBOARD_TOKEN",
        "",
        "access token for the live page; required when it listens beyond loopback",
        secret=True,
    )
    dagster_url: str = setting(
        "MDPLATFORM_DAGSTER_URL",
        "",
        "Dagster's address, for the live page's links and what it shows of hours and checks; after a blank the address "
        "at which the page itself reaches it, where that is another",
    )
    serve_token: str = setting(
        "MDPLATFORM_SERVE_TOKEN",
        "",
        "access token for the replay server; required when it listens beyond loopback",
        secret=True,
    )
    allowed_hosts: str = setting(
        "MDPLATFORM_ALLOWED_HOSTS",
        "",
        "host names, in addition to localhost, that Dagster, the live page and the embedded ClickHouse accept, "
        "comma-separated",
    )
    alert_webhook: str = setting(
        "MDPLATFORM_ALERT_WEBHOOK",
        "",
        "URL that receives alerts as JSON: failed checks and runs, stale assets, stalled tables",
        secret=True,
    )
    alerts: str = setting(
        "MDPLATFORM_ALERTS",
        "",
        "where else alerts go, separated by blanks: addresses of Apprise (Slack, mail, PagerDuty, Telegram, ...), each "
        "with what it is for before it, if not all: error=URL, warning=URL, @okx,bybit=URL, error@okx=URL",
        secret=True,
        opaque=True,
    )
    log_level: str = setting("LOG_LEVEL", "INFO", "log level: DEBUG, INFO, WARNING or ERROR")

    def shown(self) -> list[tuple[str, str, str]]:
        """(variable, value with secrets hidden, meaning) of every setting."""
        rows = []
        for f in dataclasses.fields(self):
            value = "" if _is_unset(getattr(self, f.name)) else str(getattr(self, f.name))
            if f.metadata["opaque"]:
                value = re.sub(r"://\S+", "://***", value) if "://" in value else "***" if value else ""
            elif f.metadata["secret"] and value:
                value = _address(value) if "://" in value else "***"
            rows.append((f.metadata["variable"], value, f.metadata["meaning"]))
        return rows

    @property
    def internal_database(self) -> str:
        """The ClickHouse database that the platform works in, behind the one that people read."""
        return f"{self.clickhouse_database}_internal"

    def brokers_for_clickhouse(self) -> str:
        return self.clickhouse_kafka_brokers or self.kafka_brokers

    def credentials(self, venue: str) -> tuple[str, str] | None:
        """(client id, client secret) for this venue, None where none are set; raises ConfigError for half a pair."""
        name = venue.replace("-", "_")
        client_id, secret = (getattr(self, f"{name}_client_{part}", "") for part in ("id", "secret"))
        if bool(client_id) != bool(secret):
            variable = f"MDPLATFORM_{name.upper()}_CLIENT"
            raise ConfigError(f"{variable}_ID and {variable}_SECRET must be set together; one is missing")
        return (client_id, secret) if client_id else None

    def host_names(self) -> frozenset[str]:
        """The host names that our servers accept in addition to this machine's; raises ConfigError for a bad one."""
        names = [name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip()]
        for name in names:
            if not re.fullmatch(r"[a-z0-9_.-]+", name):
                raise ConfigError(f"MDPLATFORM_ALLOWED_HOSTS takes host names without scheme and port, not {name!r}")
        return frozenset(names)

    def local_archive(self) -> Path | None:
        """The archive's directory, where it is one of this machine."""
        root = self.archive_root()
        return None if "://" in root else Path(root)

    def retention_days(self) -> dict[str, int]:
        """How long rows stay in the warehouse, by dataset or kind of internal row, where that is limited."""
        names = (*retention.ARCHIVED, *retention.INTERNAL)
        return {name: days for name in names if (days := int(getattr(self, f"retention_{name}")))}

    def archive_root(self) -> str:
        return self.archive_dir or f"{self.data_dir}/archive"


def table() -> str:
    """The settings as a Markdown table, as the README shows it."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for f in dataclasses.fields(Settings):
        default = "" if _is_unset(f.default) else f"`{str(f.default).lower() if f.default is False else f.default}`"
        rows.append(f"| `{f.metadata['variable']}` | {default} | {f.metadata['meaning']} |")
    return "\n".join(rows) + "\n"


def _is_unset(value: Any) -> bool:
    return value == "" or (value == 0 and value is not False)


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from ``environ``; raises ConfigError naming the variable whose value does not fit."""
    values: dict[str, Any] = {}
    for f in dataclasses.fields(Settings):
        variable = f.metadata["variable"]
        if environ.get(variable, "") != "":
            values[f.name] = _convert(variable, environ[variable], f.default)
    settings = Settings(**values)
    if settings.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {settings.log_level!r}")
    if "://" in settings.archive_dir and "@" in settings.archive_dir:
        raise ConfigError("MDPLATFORM_ARCHIVE_DIR must not contain credentials: set the store's own variables instead")
    for variable, url in (
        ("CLICKHOUSE_URL", settings.clickhouse_url),
        ("CLICKHOUSE_READER_URL", settings.clickhouse_reader_url or settings.clickhouse_url),
    ):
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{variable} must start with http:// or https://")
    _check_kafka_security(settings)
    settings.host_names()
    if settings.first_hour:
        parse_hour(settings.first_hour)
    return settings


def _check_kafka_security(settings: Settings) -> None:
    """A half-configured protection must not look complete: a password that would not be used is an error."""
    protocol, has_sasl = settings.kafka_security_protocol, settings.kafka_security_protocol.startswith("SASL_")
    if protocol not in KAFKA_PROTOCOLS:
        raise ConfigError(
            f"MDPLATFORM_KAFKA_SECURITY_PROTOCOL must be one of {', '.join(KAFKA_PROTOCOLS)}, not {protocol!r}"
        )
    if settings.kafka_sasl_mechanism not in SASL_MECHANISMS:
        raise ConfigError(f"MDPLATFORM_KAFKA_SASL_MECHANISM must be one of {', '.join(SASL_MECHANISMS)}")
    login = (settings.kafka_sasl_username, settings.kafka_sasl_password)
    if has_sasl and not all(login):
        raise ConfigError(f"{protocol} needs MDPLATFORM_KAFKA_SASL_USERNAME and MDPLATFORM_KAFKA_SASL_PASSWORD")
    if any(login) and not has_sasl:
        raise ConfigError(f"MDPLATFORM_KAFKA_SASL_* is set, but {protocol} does not log in: did you mean SASL_SSL?")
    files = (settings.kafka_ca_file, settings.kafka_certificate_file, settings.kafka_key_file)
    if any(files) and not protocol.endswith("SSL"):
        raise ConfigError(f"certificates for Kafka are set, but {protocol} does not encrypt: did you mean SSL?")
    if bool(settings.kafka_certificate_file) != bool(settings.kafka_key_file):
        raise ConfigError("MDPLATFORM_KAFKA_CERTIFICATE_FILE and MDPLATFORM_KAFKA_KEY_FILE must be set together")


def _convert(variable: str, text: str, default: Any) -> Any:
    """The value in the type of ``default``; a whole number may be 0 only where that is its default."""
    if isinstance(default, bool):
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{variable} must be true or false, not {text!r}")
    if isinstance(default, int):
        if not re.fullmatch("[0-9]{1,18}", text) or (int(text) == 0 != default):
            raise ConfigError(f"{variable} must be a whole number{' above 0' if default else ''}, not {text[:40]!r}")
        return int(text)
    return text


def addresses(text: str, variable: str) -> dict[str, str]:
    """``venue=URL;venue=URL`` as a dictionary; raises ConfigError naming ``variable``."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    for venue, equals, url in pairs:
        if not (venue.strip() and equals and "://" in url):
            raise ConfigError(f"{variable} must read venue=URL;venue=URL, not {text!r}")
    return {venue.strip(): url.strip() for venue, _, url in pairs}


def _address(url: str) -> str:
    """Where ``url`` points, without its password, and without path and query: a webhook's secret is there."""
    shown = hide(url)
    server = re.split("(?<=[^:/])[/?#]", shown, maxsplit=1)[0]
    return server if shown.rstrip("/") == server else f"{server}/***"


def hide(url: str) -> str:
    """``url`` with its password replaced by stars, also where characters of the password make the URL invalid."""
    return re.sub(r"(://[^:/?#@]*):.*@", r"\1:***@", url, flags=re.DOTALL)
