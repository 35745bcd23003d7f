"""One WebSocket: what the app sends through it, and how it ends.

A stream starts when the app accepts the handshake. Each message that the app sends is a chunk. The outcomes:

- ``completed``: the app closes with 1000 or 1001, or the client closes with 1000, "the purpose for which the connection
  was established has been fulfilled" (RFC 6455, section 7.4.1);
- ``error``: the app closes with any other code, fails, or returns without closing, so that the client gets no close;
- ``shutdown``: the server closes with 1012, or cancels the app;
- ``client_disconnect``: the client closes with another code or none, or its connection is lost.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from streamgauge.asgi.app_marks import AppMarks
from streamgauge.asgi.chunk_counting import MessageCounter
from streamgauge.asgi.hangup import HangUpError, caused_by_disconnect, is_hangup
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.process_end import asked_to_end
from streamgauge.asgi.receive_channel import ReceiveChannel
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.stream import Stream

PROTOCOL = "websocket"
_NORMAL, _GOING_AWAY, _SERVICE_RESTART = 1000, 1001, 1012
#: The status of the response that accepts a handshake.
_SWITCHING_PROTOCOLS = 101


class WebsocketResponder:
    """The responder of one WebSocket: it runs the app and counts what the app sends."""

    __slots__ = (
        "_channel",
        "_marks",
        "_recorder",
        "_rejection",
        "_requested_s",
        "_route",
        "_scope",
        "_send",
        "_stream",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, recorder: Recorder, route: Callable[[], str], marks: AppMarks
    ) -> None:
        self._requested_s = perf_counter()
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._route = route
        self._marks = marks
        self._channel = ReceiveChannel(receive)
        self._stream: Stream | None = None
        #: Why the handshake has not succeeded; empty after the app accepted it.
        self._rejection = "error"

    async def run(self, app: App) -> None:
        """Run ``app``. Count its errors and raise them again unchanged, except those that only report a hang-up.

        An error of the app's own that the client's disconnect led to, for example in a clean-up, counts as the
        disconnect and is raised.
        """
        running = self._recorder.running
        running.add(self)
        try:
            await app(self._scope, self._channel.receive, self.send)
        except asyncio.CancelledError:
            self._rejection = self._rejection and "shutdown"
            self.end_at_shutdown()
            raise
        except BaseException as error:
            disconnect = caused_by_disconnect(error)
            if disconnect:
                await self._channel.catch_up()
            self._end(self._disconnect_outcome() if disconnect else "error")
            if not is_hangup(error):
                raise
        else:
            if asked_to_end():
                self.end_at_shutdown()
            self._end(self._disconnect_outcome() if self._channel.disconnected else "error")
        finally:
            running.discard(self)
            self._channel.close()
            if self._rejection == "refused" or (self._rejection and not self._channel.disconnected):
                self._marks.reject(self._rejection, PROTOCOL)

    def end_at_shutdown(self) -> None:
        """Count the end of a WebSocket that the server has cut, unless the client left before."""
        self._end(self._disconnect_outcome() if self._channel.disconnected else "shutdown")

    async def send(self, message: Message) -> None:
        """Pass the app's message on and count it. Raise ``HangUpError`` for a chunk after the client has hung up."""
        kind, stream = message["type"], self._stream
        if stream is None:
            await self._send_handshake(message)
        elif kind == "websocket.send":
            await self._send_chunk(message, stream)
        else:
            if kind == "websocket.close" and not self._channel.disconnected:
                self._end("completed" if message.get("code", _NORMAL) in (_NORMAL, _GOING_AWAY) else "error")
            await self._send(message)

    async def _send_handshake(self, message: Message) -> None:
        if message["type"] in ("websocket.close", "websocket.http.response.start"):
            self._rejection = "refused"
        await self._send(message)
        if message["type"] == "websocket.accept" and not self._channel.disconnected:
            self._rejection = ""
            series = self._recorder.series(self._route(), PROTOCOL)
            self._stream = Stream(series, MessageCounter(), self._requested_s, _SWITCHING_PROTOCOLS)

    async def _send_chunk(self, message: Message, stream: Stream) -> None:
        if self._channel.disconnected:
            raise HangUpError
        self._channel.watch()
        body = message.get("bytes")
        if body is None:
            body = (message.get("text") or "").encode()
        before_s = perf_counter()
        await self._send(message)
        now_s = perf_counter()
        if self._channel.disconnected or self._channel.response_ended:
            return
        stream.count_body(body, len(body), before_s, now_s)
        if now_s > self._recorder.yield_at_s:
            await asyncio.sleep(0)

    def _disconnect_outcome(self) -> str:
        """Return the outcome after a disconnect, by the close code of the client, or of the server in its name."""
        known = {_NORMAL: "completed", _SERVICE_RESTART: "shutdown"}
        return known.get(self._channel.close_code or 0, "client_disconnect")

    def _end(self, outcome: str) -> None:
        if self._stream is not None and not self._channel.response_ended:
            self._channel.response_ended = True
            self._stream.end(self._marks.outcome or outcome, cleanly=outcome == "completed")
