"""``alerts``: where alerts go, and whether they arrive."""

from __future__ import annotations

import sys

import click

from mdplatform import cli
from mdplatform.core.errors import ConfigError, MdplatformError
from mdplatform.core.legible import legible


@click.group(epilog="Example: mdplatform alerts test --severity warning --venue okx")
def alerts() -> None:
    """Where alerts go: MDPLATFORM_ALERTS and MDPLATFORM_ALERT_WEBHOOK.

    MDPLATFORM_ALERTS holds addresses of Apprise, separated by blanks, each with what it is for before it, if not all:

    \b
      slack://TOKEN_A/TOKEN_B/TOKEN_C/CHANNEL          all alerts
      error=pagerduty://INTEGRATION_KEY@API_KEY        errors
      warning=mailtos://USER:PASSWORD@HOST?to=ADDRESS  warnings
      @okx,bybit=tgram://BOT_TOKEN/CHAT                what concerns these venues
      error@okx=jsons://HOST/PATH                      errors of one venue
    """


@alerts.command(epilog="Example: mdplatform alerts test --severity warning --venue okx")
@click.option("--severity", type=click.Choice(["error", "warning"]), default="error", show_default=True)
@click.option("--venue", default="", help="As if the alert concerned this venue.")
def test(severity: str, venue: str) -> None:
    """Send a test alert, and its end, by every route that takes it. Exit code 1 where one did not arrive."""
    from mdplatform.alerts.policy import Alert, Notice
    from mdplatform.alerts.routes import routes

    every = routes(cli.settings())
    if not every:
        raise ConfigError("no route is set: MDPLATFORM_ALERTS and MDPLATFORM_ALERT_WEBHOOK are empty")
    text = "test of mdplatform's alerts: nothing is wrong"
    alert = Alert(
        "test", text, severity="warning" if severity == "warning" else "error", venues=(venue,) if venue else ()
    )
    failed = False
    for route in every:
        notices = [each for each in (Notice(alert), Notice(alert, is_over=True)) if route.takes(each)]
        try:
            for notice in notices:
                route.send([notice])
        except MdplatformError as error:
            failed = True
            click.echo(f"FAILED  {legible(str(error))}")
        else:
            click.echo(f"ok      {route.name}" if notices else f"-       {route.name}: not for such an alert")
    sys.exit(1 if failed else 0)
