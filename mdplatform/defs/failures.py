"""How a step fails where no code is at fault: in one line, without a trace of the code that noticed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import dagster as dg

from mdplatform.core.errors import ArchiveError, BusError, FeedError, MdplatformError, WarehouseError

# For what may be away for a moment: ClickHouse, the broker, an object store.
RETRY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
# A run whose process died (machine restarted, out of memory) is started once more; a step that failed is not.
STARTED_AGAIN = {"dagster/max_retries": "1", "dagster/retry_on_asset_or_op_failure": "false"}
PASSING = (ArchiveError, BusError, FeedError, WarehouseError)


def fail(text: str) -> NoReturn:
    """End the step as failed, once and for all.

    Dagster shows the stack of a Failure that is raised. Of an error with a cause it shows the cause alone, and a cause
    that was never raised has no stack.
    """
    raise dg.RetryRequested(max_retries=0) from dg.Failure(text)


@contextmanager
def plainly(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[None]:
    """Our own errors are one line; what may pass is tried again as RETRY says, the rest (a setting) is not."""
    try:
        yield
    except PASSING as error:
        attempt = context.op_execution_context.retry_number + 1
        wait = RETRY.calculate_delay(attempt)
        raise dg.RetryRequested(RETRY.max_retries, seconds_to_wait=wait) from dg.Failure(str(error))
    except MdplatformError as error:
        fail(str(error))
