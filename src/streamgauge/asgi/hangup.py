"""The client's hang-up: learnt from the receive channel, which one reader at a time may own."""

import asyncio
from collections import deque
from collections.abc import Iterator

from streamgauge.asgi.interface import Message, Receive

_DISCONNECTS = ("http.disconnect", "websocket.disconnect")
#: What frameworks and servers raise for a WebSocket that is closed; they are told by name, for none is imported here.
_WEBSOCKET_ERRORS = ("WebSocketDisconnect", "ClientDisconnected")
#: What frameworks raise in place of an ``OSError`` of ``send``, which they leave as the context.
_FRAMEWORK_ERRORS = ("ClientDisconnect", *_WEBSOCKET_ERRORS)


class HangUpError(OSError):
    """Raised by ``send`` once the client has gone, so that the app stops producing (ASGI 2.4, "Send")."""

    def __init__(self) -> None:
        super().__init__("the client hung up")


class Inbox:
    """The request's receive channel, which also learns of the hang-up.

    Most apps wait on ``receive`` while they stream, and then passing their messages on is enough. For one that does
    not, ``watch`` starts a task that reads in its place and keeps what the app may still ask for.
    """

    __slots__ = ("_arrived", "_held", "_receive", "_task", "_waiting", "close_code", "ended", "gone", "watched")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._held: deque[Message] | None = None
        self._arrived: asyncio.Event | None = None
        self.watched = False
        """Whether a hang-up has not come yet, and somebody would learn of it now."""
        self.ended = False
        """Set by the owner at the response's end: a disconnect after it is none."""
        self.gone = False
        """Whether the client hung up before the response's end."""
        self.close_code: int | None = None
        """What a WebSocket was closed with."""

    def watch(self) -> None:
        """See to it that somebody learns of a hang-up: the app if it waits on ``receive``, else a task."""
        if not self.watched and not self.gone:
            self.watched = True
            self._held, self._arrived = deque(), asyncio.Event()
            self._task = asyncio.create_task(self._read_ahead(self._held, self._arrived), name="streamgauge-hangup")

    async def receive(self) -> Message:
        """The app's ``receive``: the next message, by way of the task that reads ahead if there is one."""
        if self._held is not None and self._arrived is not None:
            return await self._next_held(self._held, self._arrived)
        self._waiting += 1
        self.watched = True
        try:
            return self._note(await self._receive())
        finally:
            self._waiting -= 1
            self.watched = self._waiting > 0 and not self.gone

    def close(self) -> None:
        """End the task, if there is one."""
        self.ended = True
        if self._task is not None:
            self._task.cancel()

    async def _next_held(self, held: deque[Message], arrived: asyncio.Event) -> Message:
        while not held:
            if self._task is not None and self._task.done():
                self._task.result()
            arrived.clear()
            await arrived.wait()
        if held[0]["type"] in _DISCONNECTS:
            return held[0]
        message = held.popleft()
        arrived.set()
        return message

    async def _read_ahead(self, held: deque[Message], arrived: asyncio.Event) -> None:
        """Read until the hang-up; what came in that nobody has asked for yet stops it (back-pressure)."""
        try:
            while True:
                message = self._note(await self._receive())
                held.append(message)
                arrived.set()
                if message["type"] in _DISCONNECTS:
                    return
                while held and (message.get("more_body", False) or message["type"] == "websocket.receive"):
                    arrived.clear()
                    await arrived.wait()
        finally:
            arrived.set()

    def _note(self, message: Message) -> Message:
        if message["type"] in _DISCONNECTS and not self.ended:
            self.gone, self.watched = True, False
            self.close_code = message.get("code")
        return message


def caused_by_hangup(error: BaseException) -> bool:
    """Whether a ``HangUpError`` is at the root of ``error``: itself, in a group, or as a cause or context.

    So it ended the stream, but ``error`` may be news all the same: one of the app's own, raised while it cleaned up.
    """
    return any(isinstance(one, HangUpError) for one in _all_of(error))


def is_hangup(error: BaseException) -> bool:
    """Whether ``error`` says no more than that the client hung up, as all of a group's errors must.

    It is a ``HangUpError``, is raised ``from`` one, or is what a framework says in place of one.
    """
    seen = set[int]()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        if isinstance(one, BaseExceptionGroup):
            return all(is_hangup(part) for part in one.exceptions)
        if isinstance(one, HangUpError):
            return True
        seen.add(id(one))
        one = one.__cause__ or (one.__context__ if type(one).__name__ in _FRAMEWORK_ERRORS else None)
    return False


def caused_by_disconnect(error: BaseException) -> bool:
    """Whether a WebSocket's close is at the root of ``error``, as a ``HangUpError`` or in a framework's own words."""
    return any(isinstance(one, HangUpError) or type(one).__name__ in _WEBSOCKET_ERRORS for one in _all_of(error))


def _all_of(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        yield one
        seen.add(id(one))
        parts = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        pending += [
            part for part in (*parts, one.__cause__, one.__context__) if part is not None and id(part) not in seen
        ]
