"""The engine's configuration files, written next to its data at each start.

Kafka options: librdkafka's, with _ for . (clickhouse.com/docs/engines/table-engines/integrations/kafka).
"""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from mdplatform.core.errors import ConfigError
from mdplatform.core.private import private_directory, private_file
from mdplatform.embedded.clickhouse.access import DEFAULT_USER, HIDDEN_TABLE, LOADER, READER, READER_DATABASES, Users

PASSWORD = "sasl_password"
FROM_ENVIRONMENT = "@from_env"
KAFKA = {
    # The embedded broker answers a backlog in one response, whatever the consumer asks for.
    "receive_message_max_bytes": "2000000000",
    # It never forgets a dead member either; a static one takes its own place back at once. All Kafka tables may share
    # the name as long as each has a consumer group of its own and one consumer.
    "group_instance_id": "mdplatform-embedded",
    # Nor does it take back one that was late: it would be fenced for good. Half an hour is the most that it grants.
    "session_timeout_ms": "1800000",
    "max_poll_interval_ms": "1800000",
    # A group has one member: heartbeats bring it no news of others.
    "heartbeat_interval_ms": "10000",
    # The relay answers as soon as messages come; this is how often an idle consumer asks in vain.
    "fetch_wait_max_ms": "2000",
    # New topics that match a table's pattern are seen after this long.
    "topic_metadata_refresh_interval_ms": "10000",
    # Feeds system.kafka_consumers.rdkafka_stat, which the consumer lag is read from. Fourteen consumers write theirs
    # as JSON: each second, that was a tenth of what an idle node does.
    "statistics_interval_ms": "3000",
}
SERVER = {
    # One thread a Kafka table is taken for as long as it has messages.
    "background_message_broker_schedule_pool_size": "32",
    # The default of 8 minutes would keep dropped data on disk even over a restart.
    "database_atomic_delay_before_drop_table_sec": "1",
}
DEFAULT_PROFILE = {
    # The engine is a command line tool's; this makes it answer as the server does.
    "implicit_select": "0",
    # A backlog or a replayed tape may hold rows of hundreds of days. Above the limit of 100 the engine would refuse the
    # block and read it again forever, and with it the rows of all venues. The streams refuse times that cannot be.
    "max_partitions_per_insert_block": "0",
}
# Settings that make formats and queries open files, write files or ask servers: a reader's cannot be changed at all.
# (In this engine a schema or a template is any file of the host: probed on 26.1.2.1.)
READER_FIXED = (
    *("format_schema", "format_schema_source", "format_schema_message_name", "output_format_schema"),
    *("format_template_row", "format_template_resultset", "format_avro_schema_registry_url"),
    *("input_format_record_errors_file_path", "rename_files_after_processing", "cluster_for_parallel_replicas"),
    *("allow_ddl", "filesystem_cache_name", "s3queue_default_zookeeper_path"),
)
# Under this name the engine finds our password for Kafka in its environment, once, while it is opened.
KAFKA_SECRET = "MDPLATFORM_KAFKA_SECRET"
READER_LIMITS = {"max_execution_time": "60", "max_result_rows": "10000000", "max_memory_usage": "4000000000"}


def write_config(directory: Path, users: Users, kafka: Mapping[str, str], server: Mapping[str, str]) -> Path:
    """Write config.xml and users.xml into `directory`; gives the path of the first. The later mapping wins.

    An option of Kafka that is given as empty is left to librdkafka. Of Kafka's password only the name of a variable is
    written: whoever may read files of the node could read these.
    """
    private_directory(directory)
    users_file = directory / "users.xml"
    _write(users_file, {**_users(users)})
    kafka = {name: value for name, value in {**KAFKA, **kafka}.items() if value}
    secret: Tree = {PASSWORD: {FROM_ENVIRONMENT: KAFKA_SECRET}} if PASSWORD in kafka else {}
    settings: Tree = {
        **_nested({**SERVER, **server}),
        "kafka": {**kafka, **secret},
        "users_config": str(users_file),
    }
    settings["access_control_improvements"] = {"allow_impersonate_user": "1"}
    settings["allow_impersonate_user"] = "1"
    _write(directory / "config.xml", settings)
    return directory / "config.xml"


Tree = dict[str, "str | list[str] | Tree"]


def _nested(pairs: Mapping[str, str]) -> Tree:
    """``backups.allowed_path`` as an element within an element."""
    tree: Tree = {}
    for name, value in pairs.items():
        *parents, last = name.split(".")
        inner = tree
        for parent in parents:
            found = inner.setdefault(parent, {})
            if not isinstance(found, dict):
                raise ConfigError(f"the server setting {name} is given as a value and as a group of settings")
            inner = found
        inner[last] = value
    return tree


def _users(users: Users) -> Tree:
    """All users, without passwords: the endpoint has checked them before the engine is asked anything."""
    anywhere: Tree = {"networks": {"ip": "::/0"}, "quota": "default", "password": ""}
    grants = [f"GRANT SELECT ON {database}.*" for database in READER_DATABASES]
    grants.append(f"REVOKE SELECT ON {HIDDEN_TABLE}")
    grants.append("GRANT SHOW DATABASES ON default.*")  # where a session begins, and a request's `database` ends
    reader: Tree = {**anywhere, "profile": READER, "grants": {"query": grants}}
    loads = ["GRANT CREATE TEMPORARY TABLE ON *.*", "GRANT TABLE ENGINE ON Memory", f"GRANT IMPERSONATE ON {READER}"]
    loader: Tree = {**anywhere, "profile": LOADER, "grants": {"query": loads}}
    default: Tree = {**anywhere, "profile": "default", "access_management": "1", "named_collection_control": "1"}
    # 0 means without limit, so a limit needs a least value as well.
    limits: Tree = {name: {"min": "1", "max": greatest} for name, greatest in users.reader_limits.items()}
    limits |= {name: {"const": ""} for name in READER_FIXED}
    profiles: Tree = {
        "default": dict(DEFAULT_PROFILE),
        READER: {"readonly": "2", **users.reader_limits, "constraints": limits},
        LOADER: {**users.reader_limits, "constraints": limits},
    }
    named: Tree = {DEFAULT_USER: default, LOADER: loader, READER: reader}
    return {"profiles": profiles, "users": named, "quotas": {"default": ""}}


def _write(path: Path, tree: Tree) -> None:
    root = ElementTree.Element("clickhouse")
    _fill(root, tree)
    ElementTree.indent(root)
    with private_file(path) as file:
        ElementTree.ElementTree(root).write(file, encoding="utf-8")


def _fill(parent: ElementTree.Element, tree: Tree) -> None:
    """A name with @ is an attribute."""
    for name, value in tree.items():
        if name.startswith("@"):
            parent.set(name[1:], str(value))
            continue
        for one in value if isinstance(value, list) else [value]:
            element = ElementTree.SubElement(parent, name)
            if isinstance(one, dict):
                _fill(element, one)
            else:
                element.text = one
