"""Begins what belongs to the start of the app with its first request, under a server that has no lifespan."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class FirstRequest:
    """Calls ``begin`` once, before ``app`` answers the first request."""

    def __init__(self, app: ASGIApp, begin: Callable[[], None]) -> None:
        self.app = app
        self._begin: Callable[[], None] | None = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if self._begin is not None and scope["type"] != "lifespan":
            begin, self._begin = self._begin, None
            begin()
        await self.app(scope, receive, send)
