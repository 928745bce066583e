"""`python -m mdplatform.embedded.clickhouse`: host the engine and serve it until SIGTERM or SIGINT.

Passwords come through a pipe, or where it is run by hand from the environment: MDPLATFORM_CLICKHOUSE_PASSWORD (user
default), MDPLATFORM_CLICKHOUSE_READER_PASSWORD (user reader), MDPLATFORM_CLICKHOUSE_KAFKA_PASSWORD (ours, at the
broker).
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from mdplatform.core.errors import MdplatformError
from mdplatform.core.private import private_directory
from mdplatform.embedded.clickhouse import KAFKA_PASSWORD, PASSWORD, READER_PASSWORD
from mdplatform.embedded.clickhouse.confinement import confine
from mdplatform.embedded.clickhouse.server import Options, serve


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("mdplatform.embedded.clickhouse", description="An embedded ClickHouse node")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123, help="0 takes a free one, written to DATA_DIR/endpoint.json")
    parser.add_argument("--threads", type=int, default=32, help="statements that may run at the same time")
    parser.add_argument(
        "--kafka", action="append", default=[], metavar="OPTION=VALUE", help="librdkafka option, _ for ."
    )
    parser.add_argument(
        "--server", action="append", default=[], metavar="SETTING=VALUE", help="server setting, with . for a group"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name in Host, beside loopback's"
    )
    parser.add_argument("--secrets-fd", type=int, help="where the passwords are read from, as a JSON object")
    parser.add_argument("--reader-limit", action="append", default=[], metavar="SETTING=GREATEST")
    return parser


def main() -> int:
    parser = arguments()
    given = parser.parse_args()
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "INFO").upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    kafka = _pairs(parser, given.kafka)
    secrets = _secrets(given.secrets_fd)
    if kafka_password := secrets.get(KAFKA_PASSWORD):
        kafka["sasl_password"] = kafka_password
    options = Options(
        data_dir=given.data_dir.absolute(),
        host=given.host,
        port=given.port,
        threads=given.threads,
        password=secrets.get(PASSWORD, ""),
        reader_password=secrets.get(READER_PASSWORD, ""),
        kafka=kafka,
        server=_pairs(parser, given.server),
        reader_limits=_pairs(parser, given.reader_limit),
        allowed_hosts=frozenset(name.lower() for name in given.allow_host),
    )
    try:
        private_directory(options.data_dir)
        confine(options.data_dir, [path for name, path in kafka.items() if name.endswith("_location")])
        serve(options)
    except (MdplatformError, OSError) as error:
        sys.stderr.write(f"mdplatform.embedded.clickhouse: {error}\n")
        return 1
    return 0


def _secrets(fd: int | None) -> Mapping[str, str]:
    """What was sent through a pipe, which leaves no trace in /proc; without one, the environment."""
    if fd is None:
        return os.environ
    with os.fdopen(fd) as pipe:
        found: dict[str, str] = json.load(pipe)
    return found


def _pairs(parser: argparse.ArgumentParser, given: list[str]) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            parser.error(f"{pair!r} is not of the form NAME=VALUE")
    return dict(pair.split("=", 1) for pair in given)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The engine is closed by now; its library aborts in its destructors when the interpreter unloads it.
    os._exit(code)
