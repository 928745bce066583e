"""``python -m mdplatform.defs.webserver``: dagster-webserver with all its options, behind a guard.

Dagster's own has no login, answers under any name, and runs a mutation that stands in the address of a GET: any page in
a browser that reaches it could start and end runs. Here foreign pages are refused (`mdplatform.core.browsers`),
WebSockets included, and GraphQL is asked by POST alone. Names beside this machine's are those of
MDPLATFORM_ALLOWED_HOSTS.
"""

from __future__ import annotations

import sys
from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import load


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


def guarded(*args: Any, **kwargs: Any) -> Starlette:
    """Dagster's application, with the guard outermost."""
    app = create_app_from_workspace_process_context(*args, **kwargs)
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
    cli.dagster_webserver(auto_envvar_prefix="DAGSTER_WEBSERVER", prog_name="mdplatform.defs.webserver")


if __name__ == "__main__":
    main()
