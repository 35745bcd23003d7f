"""The lifespan of a measured app: the streams that a server cut at its end are counted before the server leaves.

uvicorn cancels the streams that last, ends the lifespan, and may then be killed by the signal that it raises again. The
end of the lifespan is the last moment at which its event loop runs. So the middleware answers for an app that does not
support the lifespan protocol, as the specification allows a server to go on without it:
https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

import asyncio
from collections.abc import Awaitable, Callable

from streamgauge.asgi.interface import App, Message, Receive, Scope, Send


class Lifespan:
    """One run of the lifespan of ``app``. ``at_shutdown`` is awaited before the server learns that it is over."""

    def __init__(self, app: App, receive: Receive, send: Send, at_shutdown: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._at_shutdown = at_shutdown
        #: The types of the messages that the app has received, and of those that it has sent.
        self._received: set[str] = set()
        self._sent: set[str] = set()

    async def run(self, scope: Scope) -> None:
        """Run the app for ``scope``. If it does not support the protocol, answer in its place.

        An app that raises an error before it receives anything does not support the protocol. Any later error passes.
        """
        try:
            await self._app(scope, self._receive_for_app, self._send_for_app)
        except asyncio.CancelledError:
            raise
        except Exception:
            if self._received:
                raise
        if "lifespan.startup.failed" not in self._sent:
            await self._answer("startup")
            await self._answer("shutdown")

    async def _receive_for_app(self) -> Message:
        message = await self._receive()
        self._received.add(message["type"])
        return message

    async def _send_for_app(self, message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            await self._at_shutdown()
        self._sent.add(message["type"])
        await self._send(message)

    async def _answer(self, event: str) -> None:
        if self._sent & {f"lifespan.{event}.complete", f"lifespan.{event}.failed"}:
            return
        if f"lifespan.{event}" not in self._received:
            await self._receive()
        await self._send_for_app({"type": f"lifespan.{event}.complete"})
