"""Ends a response at its start: with another status, or without its body. The app is stopped, not run to its end."""

from collections.abc import Callable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def run_until_start(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, end_with: Callable[[Message], Message | None]
) -> None:
    """Run ``app`` until it starts its response.

    ``end_with`` gets that start. If it returns a start, send that with no body and cancel the app; if it returns None,
    let the app go on.
    """
    ended = False
    with anyio.CancelScope() as running:

        async def send_or_end(message: Message) -> None:
            nonlocal ended
            if ended:  # a clean-up of the cancelled app
                return
            start = end_with(message) if message["type"] == "http.response.start" else None
            if start is None:
                await send(message)
                return
            ended = True
            await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            running.cancel()
            await anyio.lowlevel.checkpoint()

        await app(scope, receive, send_or_end)
