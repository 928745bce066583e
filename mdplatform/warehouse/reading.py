"""Connections for people's own questions: they change nothing, and no question keeps the server for long."""

from __future__ import annotations

import dataclasses

from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect

SECONDS = 60
# What holds where the user has no such limit of his own. 2: a question may bring settings, and changes nothing.
LIMITS = {
    "max_execution_time": str(SECONDS),
    "max_result_rows": "10000000",
    "cancel_http_readonly_queries_on_client_close": "1",
    "readonly": "2",
}


def connect_reader(settings: Settings) -> Client:
    """As the user of CLICKHOUSE_READER_URL, else as that of CLICKHOUSE_URL, who may then only read. Errors: connect."""
    if settings.clickhouse_reader_url:
        settings = dataclasses.replace(settings, clickhouse_url=settings.clickhouse_reader_url)
    client = connect(settings)
    for name, value in LIMITS.items():
        known = client.server_settings.get(name)
        if known is not None and known.value == "0" and not known.readonly:
            client.set_client_setting(name, value)
    return client
