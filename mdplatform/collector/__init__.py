"""The wiring of one venue's feeds to the bus: feed -> session -> codec -> bus.

``collect`` runs on a loop with any bus; ``run`` is the process with Kafka. Neither imports dagster, pandas or pyarrow.
"""

from mdplatform.collector.collection import collect
from mdplatform.collector.config import CollectorConfig, CollectorReport
from mdplatform.collector.process import run

__all__ = ["CollectorConfig", "CollectorReport", "collect", "run"]
