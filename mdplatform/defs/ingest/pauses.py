"""Jobs by which an operator pauses and resumes a venue; ``mdplatform pause`` and ``resume`` do the same."""

import time

import dagster as dg
from pydantic import Field

from mdplatform.collector import pauses
from mdplatform.collector.pauses import Pause
from mdplatform.core.errors import ConfigError
from mdplatform.defs.external.assets import feed_key
from mdplatform.defs.failures import fail
from mdplatform.defs.resources import Platform
from mdplatform.venues import venue


class PauseConfig(dg.Config):
    """Which venue is not to be collected, and why."""

    venue: str = Field(description="A venue id, as in MDPLATFORM_INGEST.")
    reason: str = Field(default="", description="For whoever finds it paused.")


class ResumeConfig(dg.Config):
    """Which venue is to be collected again."""

    venue: str = Field(description="A venue id, as in MDPLATFORM_INGEST.")


@dg.op
def pause(context: dg.OpExecutionContext, config: PauseConfig, platform: Platform) -> None:
    wanted = Pause(_known(config.venue), time.time_ns(), f"Dagster run {context.run_id[:8]}", config.reason)
    try:
        held = pauses.pause(platform.settings().data_dir, wanted)
    except ConfigError as error:
        fail(str(error))
    context.log.info(str(held))
    context.log_event(dg.AssetObservation(feed_key(held.venue), description=str(held)))


@dg.op
def resume(context: dg.OpExecutionContext, config: ResumeConfig, platform: Platform) -> None:
    held = pauses.resume(platform.settings().data_dir, _known(config.venue))
    said = f"{config.venue} was not paused" if held is None else f"{config.venue} is resumed; it was paused: {held}"
    context.log.info(said)
    context.log_event(dg.AssetObservation(feed_key(config.venue), description=said))


def _known(name: str) -> str:
    try:
        return venue(name).id
    except ConfigError as error:
        fail(str(error))


@dg.job(
    executor_def=dg.in_process_executor,
    description="Stops collecting one venue: its runs end within ten seconds, none is started, also after restarts, "
    "until resume_venue. Its feeds are down with the cause `paused` meanwhile.",
)
def pause_venue() -> None:
    pause()


@dg.job(executor_def=dg.in_process_executor, description="Collects a paused venue again.")
def resume_venue() -> None:
    resume()
