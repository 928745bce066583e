"""Encryption and authentication of Kafka clients: the security settings as librdkafka's options."""

from __future__ import annotations

from mdplatform.core.certificates import check_authority, check_identity
from mdplatform.core.settings import Settings

Options = dict[str, str]


def security_options(settings: Settings) -> Options:
    """librdkafka's options; none for PLAINTEXT. Raises ConfigError naming the file that cannot be used.

    The broker's certificate must name the host that we connect to: librdkafka checks that by default.
    """
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return {}
    options = {"security.protocol": protocol}
    if protocol.endswith("SSL"):
        options |= _tls_options(settings)
    if protocol.startswith("SASL_"):
        options |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": settings.kafka_sasl_password,
        }
    return options


def engine_options(settings: Settings) -> Options:
    """The same for ClickHouse's Kafka engine, which writes _ for . in librdkafka's names; without the password."""
    named = security_options(settings)
    return {name.replace(".", "_"): value for name, value in named.items() if name != "sasl.password"}


def _tls_options(settings: Settings) -> Options:
    authority, certificate, key = settings.kafka_ca_file, settings.kafka_certificate_file, settings.kafka_key_file
    check_authority("MDPLATFORM_KAFKA_CA_FILE", authority)
    check_identity("MDPLATFORM_KAFKA_CERTIFICATE_FILE", certificate, key)
    files = {
        "ssl.ca.location": authority,
        "ssl.certificate.location": certificate,
        "ssl.key.location": key,
    }
    return {option: path for option, path in files.items() if path}
