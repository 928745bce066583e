"""``python -m mdplatform.defs.webserver``: dagster-webserver with all its options, behind a guard.

Dagster's own has no login, answers under any name, and runs a mutation that stands in the address of a GET: any page in
a browser that reaches it could start and end runs. Here foreign pages are refused (`mdplatform.core.browsers`),
WebSockets included, and GraphQL is asked by POST alone. Names beside this machine's are those of
MDPLATFORM_ALLOWED_HOSTS. A connection to Postgres that is dead is noticed before it is used.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from prometheus_client import ProcessCollector
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import Pool
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import load
from mdplatform.defs.metrics import dagster_families
from mdplatform.metrics.measures import CONTENT_TYPE, exposition

_OWN = ProcessCollector(registry=None)


class GraphQLByPost:
    """An ASGI application in front of Dagster's: a GET gets GraphQL's page for people, and runs nothing.

    Browsers without Sec-Fetch-Site, and all where a name is reached without TLS, do not say who has them send a GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith("/graphql"):
            # Dagster's own condition: with text/html it answers with the page, whatever the address asks for.
            is_for_people = "text/html" in Headers(scope=scope).get("accept", "")
            if not is_for_people:
                await PlainTextResponse("refused: GraphQL is asked by POST\n", 405)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def notice_dead_connections() -> None:
    """Dagster keeps connections and has no option to look at them first: after Postgres was restarted, each of them
    would answer a request with an error. A dead one is replaced, and all that are as old as it."""
    event.listen(Pool, "checkout", _ask)


def _ask(connection: Any, *_: Any) -> None:
    """Raises what has the pool connect again: https://docs.sqlalchemy.org/en/20/core/pooling.html, "Disconnect
    Handling", the recipe for engines that somebody else makes."""
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
    except Exception as error:  # the drivers of databases share no base class
        raise InvalidatePoolError from error


def measured(context: Any) -> Route:
    """``/metrics`` of the instance and the code location that the webserver's workspace context knows."""

    def metrics(_: Request) -> Response:
        graph = context.create_request_context().asset_graph
        families = dagster_families(
            context.instance, graph.asset_check_keys, graph.get_all_asset_keys(), datetime.now(UTC)
        )
        return Response(exposition([*families, *_OWN.collect()]), media_type=CONTENT_TYPE)

    return Route("/metrics", metrics)  # not async: it runs in a thread, beside the pages


def guarded(context: Any, *args: Any, **kwargs: Any) -> Starlette:
    """Dagster's application, with the guard outermost."""
    app = create_app_from_workspace_process_context(context, *args, **kwargs)
    app.router.routes.insert(0, measured(context))  # the last of Dagster's own takes every address
    app.add_middleware(GraphQLByPost)
    app.add_middleware(ForeignPagesRefused, load(environment()).host_names(), links=True)
    return app


def main() -> None:
    """As the command dagster-webserver."""
    try:
        load(environment())
    except ConfigError as error:
        sys.exit(f"mdplatform.defs.webserver: {error}")
    # Its command makes the application by this name of its module; it has no option for middleware of one's own.
    name = create_app_from_workspace_process_context.__name__
    if getattr(cli, name, None) is not create_app_from_workspace_process_context:
        sys.exit("mdplatform.defs.webserver: this version of dagster-webserver cannot be guarded")
    setattr(cli, name, guarded)
    notice_dead_connections()
    cli.dagster_webserver(auto_envvar_prefix="DAGSTER_WEBSERVER", prog_name="mdplatform.defs.webserver")


if __name__ == "__main__":
    main()
