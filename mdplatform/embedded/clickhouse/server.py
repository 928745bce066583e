"""Hosting the engine in this process: open it, serve it on a socket, close it."""

import dataclasses
import json
import logging
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.errors import ConfigError
from mdplatform.core.listening import is_loopback, listen, url_of
from mdplatform.core.private import private_file
from mdplatform.embedded.clickhouse import asked_file
from mdplatform.embedded.clickhouse.access import DEFAULT_USER, READER, Users
from mdplatform.embedded.clickhouse.app import Endpoint, application
from mdplatform.embedded.clickhouse.config import KAFKA_SECRET, PASSWORD, READER_LIMITS, write_config
from mdplatform.embedded.clickhouse.engine import Engine
from mdplatform.embedded.clickhouse.guard import INSIDE
from mdplatform.embedded.clickhouse.heads import BoundedHeads

log = logging.getLogger(__name__)

ENDPOINT_FILE = "endpoint.json"
DRAIN_S = 5  # how long running queries may go on after SIGTERM


@dataclass(frozen=True, slots=True)
class Options:
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8123
    threads: int = 32
    password: str = field(default="", repr=False)
    reader_password: str = field(default="", repr=False)
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    server: Mapping[str, str] = field(default_factory=dict)
    reader_limits: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: frozenset[str] = frozenset()  # names that clients may call this node by, beside loopback's


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError, or OSError when the port is taken."""
    users = _users(options)
    with listen(options.host, options.port, backlog=512) as listener:
        config = write_config(options.data_dir / "config", users, options.kafka, options.server)
        engine = _open(options, config)
        users = dataclasses.replace(users, outside=engine.table_functions - INSIDE)
        endpoint = Endpoint(engine, users, options.threads, asked_file(options.data_dir))
        try:
            _run(endpoint, listener, options)
        finally:
            (options.data_dir / ENDPOINT_FILE).unlink(missing_ok=True)
            endpoint.close()
            engine.close()
            log.info("closed %s", options.data_dir)


def _open(options: Options, config: Path) -> Engine:
    """The engine reads Kafka's password from the environment, whose copy in /proc it was never part of."""
    os.environ[KAFKA_SECRET] = options.kafka.get(PASSWORD, "")
    try:
        return Engine(options.data_dir, config)
    finally:
        del os.environ[KAFKA_SECRET]


def _run(endpoint: Endpoint, listener: socket.socket, options: Options) -> None:
    config = uvicorn.Config(
        ForeignPagesRefused(application(endpoint), options.allowed_hosts),
        lifespan="off",
        http=BoundedHeads,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_S,
    )
    address = url_of(listener)
    log.info("ClickHouse on %s, data in %s", address, options.data_dir)
    _announce(options.data_dir / ENDPOINT_FILE, address)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends on the signal, then raises it again for whoever had a handler before: the default one would end
        # the process with the engine open.
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def _users(options: Options) -> Users:
    if not options.password and not is_loopback(options.host):
        raise ConfigError(f"refusing to listen on {options.host} without MDPLATFORM_CLICKHOUSE_PASSWORD")
    passwords = {DEFAULT_USER: options.password}
    # With a password for default and none for the reader, an open reader would be a surprise.
    if options.reader_password or not options.password:
        passwords[READER] = options.reader_password
    return Users(passwords, {**READER_LIMITS, **options.reader_limits})


def _announce(path: Path, address: str) -> None:
    """Written whole or not at all, once connections are accepted."""
    draft = path.with_suffix(".part")
    with private_file(draft) as file:
        file.write(json.dumps({"url": address, "pid": os.getpid()}).encode())
    draft.replace(path)
