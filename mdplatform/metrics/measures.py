"""The names of all measures, each with its meaning beside it.

As https://prometheus.io/docs/practices/naming has it: base units, ``_total`` for what only grows, times as seconds
since the epoch. What the embedded ClickHouse says of itself has ClickHouse's own names
(`sql/queries/observe/prometheus.sql`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Sample = tuple[Sequence[str], float]  # the labels' values, and the value


class Measure(NamedTuple):
    """``name`` without the prefix that all of ours have. A name that ends with ``_total`` is a counter's."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def of(self, samples: Iterable[Sample]) -> Metric:
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        family = kind(f"mdplatform_{self.name}", self.meaning, labels=self.labels)
        for labels, value in samples:
            family.add_metric(labels, value)
        return family


class _Found(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> bytes:
    """The families as Prometheus reads them (``CONTENT_TYPE``)."""
    return generate_latest(_Found(families))


# --- collectors: one a shard, with one or more connections

_SHARD, _CONNECTION = ("shard", "venue"), ("shard", "venue", "connection")

UP = Measure("collector_up", "1 where a shard that is to be collected has a beating heart, 0 where it has none", _SHARD)
HEARTBEAT = Measure("collector_heartbeat_timestamp_seconds", "When the collector's loop last went round", _SHARD)
START = Measure("collector_start_time_seconds", "When the collector's process started", _SHARD)
MEMORY = Measure("collector_resident_memory_bytes", "Resident memory of the collector's process", _SHARD)
CPU = Measure("collector_cpu_seconds_total", "User and system time of the collector's process", _SHARD)
NOT_COLLECTED = Measure(
    "collector_uncollected_symbols", "Configured symbols that are not collected, by cause", (*_SHARD, "cause")
)
PUBLISHED = Measure("collector_published_messages_total", "Messages that the broker has acknowledged", _SHARD)
FAILED = Measure("collector_failed_messages_total", "Messages that the broker refused for good", _SHARD)
QUEUE = Measure("collector_queue_messages", "Messages that wait for the broker's acknowledgement", _SHARD)
QUEUE_LIMIT = Measure("collector_queue_limit_messages", "Waiting messages at which sockets are no longer read", _SHARD)
DELIVERY = Measure(
    "collector_delivery_seconds", "From receiving to the broker's acknowledgement, last second", (*_SHARD, "percentile")
)
VENUE_PAUSED = Measure("venue_paused", "1 where an operator has paused the venue", ("venue",))
SYMBOLS = Measure("collector_symbols", "Symbols on the connection", _CONNECTION)
FRAMES = Measure("collector_frames_total", "Frames received", _CONNECTION)
BYTES = Measure("collector_received_bytes_total", "Bytes of the frames received", _CONNECTION)
EVENTS = Measure("collector_events_total", "Events that frames became", _CONNECTION)
RECONNECTS = Measure("collector_reconnects_total", "Connections opened again after one ended", _CONNECTION)
RENEWALS = Measure("collector_renewals_total", "Connections replaced before they ended, without a gap", _CONNECTION)
GAPS = Measure("collector_gaps_total", "Breaks in the sequence of a feed", _CONNECTION)
DEAD_LETTERS = Measure(
    "collector_dead_letters_total", "Frames that could not be read and were kept as they came", _CONNECTION
)
LIMITS = Measure("collector_rate_limited_total", "Times the venue said that it is asked too often", _CONNECTION)
IGNORED = Measure("collector_ignored_total", "Frames and rows that gave no event by design", (*_CONNECTION, "kind"))
UNFAMILIAR = Measure(
    "collector_unfamiliar_frames_total", "Looked-at frames with a field never seen before", _CONNECTION
)
PAUSED = Measure("collector_paused_seconds_total", "Time without reading the socket: the queue was full", _CONNECTION)
VENUE_LAG = Measure("collector_venue_lag_seconds", "Receive time minus the venue's, last second's median", _CONNECTION)

# --- the broker

_PARTITION = ("group", "topic", "partition")
BROKER_UP = Measure("broker_up", "1 where the broker has answered about its consumer groups, 0 where it has not")
LAG = Measure("consumer_lag_messages", "Messages that a consumer group has yet to read", _PARTITION)
OFFSET = Measure(
    "consumer_offset_messages", "Where a consumer group goes on reading, as the partition counts", _PARTITION
)

# --- the live page

BROWSERS = Measure("page_browsers", "Browsers that are connected")
PAGE_FEEDS = Measure("page_feeds", "Feeds by what is known of them", ("exchange", "state"))
PAGE_MESSAGES = Measure("page_messages_total", "Messages that the page has read")
PAGE_PASSED = Measure(
    "page_passed_over_total", "Messages that are not what their topic holds, by reason", ("dataset", "reason")
)
PAGE_LEFT_OUT = Measure("page_left_out_total", "Messages of feeds for which there was no room")
PAGE_REACHES = Measure("page_service_up", "1 where the service answers the page, 0 where it does not", ("service",))
PAGE_LAST = Measure("page_last_message_timestamp_seconds", "When the page last read a message")

# --- Dagster

HOURS_BEHIND = Measure(
    "unbuilt_partitions", "Complete hours since the last one that was built; none before the first build"
)
CHECK_FAILING = Measure(
    "check_failing_partitions", "Hours of the last 48 for which the check's last evaluation failed", ("asset", "check")
)
STALE = Measure("asset_stale", "1 where the asset breaks its freshness policy, 0 where it keeps it", ("asset",))
RUNS = Measure("runs", "Runs that have not ended, by job and state", ("job", "status"))
ENDED = Measure("runs_recently_ended", "Runs that ended within the last hour, by job and state", ("job", "status"))
LAST_SUCCESS = Measure("job_last_success_timestamp_seconds", "When a run of the job last succeeded", ("job",))
DAEMON = Measure(
    "daemon_heartbeat_timestamp_seconds", "When a part of Dagster's daemon last gave a sign of life", ("daemon",)
)
