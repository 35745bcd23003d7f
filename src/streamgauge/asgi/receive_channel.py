"""A request's receive channel, which reports the client's hang-up. Only one reader at a time may own it."""

import asyncio
from collections import deque

from streamgauge.asgi.interface import Message, Receive

_DISCONNECTS = ("http.disconnect", "websocket.disconnect")


class ReceiveChannel:
    """The receive channel of one request. It notices the hang-up while it passes messages on to the app.

    Most apps wait on ``receive`` while they stream, and then passing messages on is enough. For an app that does not,
    ``watch`` starts a task that reads ahead and buffers the messages until the app asks for them.
    """

    __slots__ = (
        "_buffer",
        "_buffer_changed",
        "_receive",
        "_task",
        "_waiting",
        "close_code",
        "disconnected",
        "response_ended",
        "watched",
    )

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._buffer: deque[Message] | None = None
        self._buffer_changed: asyncio.Event | None = None
        self.watched = False
        """Whether the client is still connected, and its hang-up would be noticed now."""
        self.response_ended = False
        """Set by the owner when the response ends: a disconnect after that is not a hang-up."""
        self.disconnected = False
        """Whether the client hung up before the response ended."""
        self.close_code: int | None = None
        """The close code of a WebSocket that the client closed."""

    def watch(self) -> None:
        """Make sure that a hang-up is noticed: start a task that reads ahead, unless the app waits on ``receive``."""
        if not self.watched and not self.disconnected:
            self.watched = True
            self._buffer, self._buffer_changed = deque(), asyncio.Event()
            self._task = asyncio.create_task(
                self._read_ahead(self._buffer, self._buffer_changed), name="streamgauge-hangup"
            )

    async def receive(self) -> Message:
        """Return the next message for the app: from the buffer if a task reads ahead, else from the server."""
        if self._buffer is not None and self._buffer_changed is not None:
            return await self._next_buffered(self._buffer, self._buffer_changed)
        self._waiting += 1
        self.watched = True
        try:
            return self._noted(await self._receive())
        finally:
            self._waiting -= 1
            self.watched = self._waiting > 0 and not self.disconnected

    async def catch_up(self) -> None:
        """Let the task that reads ahead read the disconnect, if ``send`` failed before: only it has the close code."""
        for _ in range(3):
            if self.disconnected or self._task is None:
                return
            await asyncio.sleep(0)

    def close(self) -> None:
        """Cancel the task that reads ahead, if there is one."""
        self.response_ended = True
        if self._task is not None:
            self._task.cancel()

    async def _next_buffered(self, buffer: deque[Message], changed: asyncio.Event) -> Message:
        while not buffer:
            if self._task is not None and self._task.done():
                self._task.result()
            changed.clear()
            await changed.wait()
        if buffer[0]["type"] in _DISCONNECTS:
            return buffer[0]
        message = buffer.popleft()
        changed.set()
        return message

    async def _read_ahead(self, buffer: deque[Message], changed: asyncio.Event) -> None:
        """Read until the hang-up. A message that the app has not asked for yet stops the reading (back-pressure)."""
        try:
            while True:
                message = self._noted(await self._receive())
                buffer.append(message)
                changed.set()
                if message["type"] in _DISCONNECTS:
                    return
                while buffer and (message.get("more_body", False) or message["type"] == "websocket.receive"):
                    changed.clear()
                    await changed.wait()
        finally:
            changed.set()

    def _noted(self, message: Message) -> Message:
        """Return ``message``; note the hang-up if it reports one."""
        if message["type"] in _DISCONNECTS and not self.response_ended:
            self.disconnected, self.watched = True, False
            self.close_code = message.get("code")
        return message
