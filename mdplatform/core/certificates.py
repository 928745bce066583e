"""Certificate files that settings name, looked at before a client library meets them.

What librdkafka and urllib3 say of a file that they cannot use names neither the setting nor the cause.
"""

from __future__ import annotations

import ssl

from mdplatform.core.errors import ConfigError


def check_authority(variable: str, path: str) -> None:
    """Raises ConfigError unless ``path``, if there is one, holds certificates in PEM."""
    if path:
        try:
            ssl.create_default_context(cafile=path)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{variable}: {path} cannot be used: {_cause(error)}") from None


def check_identity(variable: str, certificate: str, key: str) -> None:
    """Raises ConfigError unless ``key`` belongs to ``certificate``, if there is one, and has no passphrase."""
    if certificate:
        try:
            # Without a password given, OpenSSL would ask for it on the terminal.
            ssl.create_default_context().load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            raise ConfigError(f"{variable}: {certificate} with {key} cannot be used: {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """An SSLError is an OSError whose ``strerror`` begins with OpenSSL's code."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
