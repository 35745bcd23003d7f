"""One WebSocket: what the app sends through it, and how it ends.

A stream begins when the app accepts the handshake; each message that the app sends is a chunk. It ends as

- ``completed``: the app closes with 1000 or 1001, or the client with 1000, "the purpose for which the connection was
  established has been fulfilled" (RFC 6455, section 7.4.1);
- ``error``: the app closes with any other code, fails, or returns without a close, which leaves the client without one;
- ``shutdown``: the server closes with 1012, or cancels the app;
- ``client_disconnect``: the client closes with another code or none, or its connection is lost.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from streamgauge.asgi.chunk_counting import MessageCounter
from streamgauge.asgi.hangup import HangUpError, Inbox, caused_by_disconnect, is_hangup
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.notes import Notes
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.stream import Stream

PROTOCOL = "websocket"
_NORMAL, _GOING_AWAY, _SERVICE_RESTART = 1000, 1001, 1012


class Conversation:
    """Runs the app for one WebSocket, and counts what goes out."""

    __slots__ = ("_began_s", "_inbox", "_notes", "_recorder", "_refusal", "_route", "_scope", "_send", "_stream")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, recorder: Recorder, route: Callable[[], str], notes: Notes
    ) -> None:
        self._began_s = perf_counter()
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._route = route
        self._notes = notes
        self._inbox = Inbox(receive)
        self._stream: Stream | None = None
        #: Why the handshake failed; empty once it did not.
        self._refusal = "error"

    async def run(self, app: App) -> None:
        """Run ``app``. Its errors are counted and raised again unchanged; ``send``'s own of a hang-up ends here.

        One of the app's own that a client's leaving led to, as in a clean-up, counts as that and is raised.
        """
        try:
            await app(self._scope, self._inbox.receive, self.send)
        except asyncio.CancelledError:
            self._refusal = self._refusal and "shutdown"
            self._end(self._left_as() if self._inbox.gone else "shutdown")
            raise
        except BaseException as error:
            left = caused_by_disconnect(error)
            self._end(self._left_as() if left else "error")
            if not is_hangup(error):
                raise
        else:
            self._end(self._left_as() if self._inbox.gone else "error")
        finally:
            self._inbox.close()
            if self._refusal == "refused" or (self._refusal and not self._inbox.gone):
                self._notes.refuse(self._refusal, PROTOCOL)

    async def send(self, message: Message) -> None:
        """The app's ``send``. Raises ``HangUpError`` once the client has gone."""
        kind, stream = message["type"], self._stream
        if stream is None:
            await self._send_handshake(message)
        elif kind == "websocket.send":
            await self._send_chunk(message, stream)
        else:
            if kind == "websocket.close" and not self._inbox.gone:
                self._end("completed" if message.get("code", _NORMAL) in (_NORMAL, _GOING_AWAY) else "error")
            await self._send(message)

    async def _send_handshake(self, message: Message) -> None:
        if message["type"] in ("websocket.close", "websocket.http.response.start"):
            self._refusal = "refused"
        await self._send(message)
        if message["type"] == "websocket.accept" and not self._inbox.gone:
            self._refusal = ""
            series = self._recorder.series(self._route(), PROTOCOL)
            self._stream = Stream(series, MessageCounter(), self._began_s)

    async def _send_chunk(self, message: Message, stream: Stream) -> None:
        if self._inbox.gone:
            raise HangUpError
        self._inbox.watch()
        body = message.get("bytes")
        if body is None:
            body = (message.get("text") or "").encode()
        before_s = perf_counter()
        await self._send(message)
        now_s = perf_counter()
        if self._inbox.gone or self._inbox.ended:
            return
        stream.sent(body, len(body), before_s, now_s)
        if now_s > self._recorder.give_way_at_s:
            await asyncio.sleep(0)

    def _left_as(self) -> str:
        """The outcome where the other end, or the server in its name, has closed."""
        known = {_NORMAL: "completed", _SERVICE_RESTART: "shutdown"}
        return known.get(self._inbox.close_code or 0, "client_disconnect")

    def _end(self, outcome: str) -> None:
        if self._stream is not None and not self._inbox.ended:
            self._inbox.ended = True
            self._stream.end(self._notes.outcome or outcome, cleanly=outcome == "completed")
