"""Decides whether an event stream that broke off is connected to again (WHATWG HTML standard, section 9.2.3).

1. A connection that failed, broke off or ended is followed by another one, after the time that the stream's ``retry``
   asked for, up to as many times as the plan allows. Once the named end has come, the stream is over.
2. The request goes to where the last one was redirected in the end, with the last event's id in ``Last-Event-ID``.
   That id stays until the server sets another one, on this connection or a later one: the standard's note on
   dispatching says so, and browsers do so.
3. A response that is not ``200`` or not an event stream ends the stream for good, and so does everything else that is
   not a broken connection. 204 says that nothing more will come.

All connections make one stream with one record. Its chunks, bytes and numbers go on over the gap, and the gap is a
chunk interval, since users waited. The limits hold meanwhile: a gap longer than the idle limit is a stall.
"""

from dataclasses import replace

from streamgauge.client.http.request import Request, RequestError
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.http1_head import Head

#: The wait if the stream asks for none: the standard says "a few seconds", and most browsers wait this long.
DEFAULT_WAIT_S = 3.0
#: The outcomes of a connection after which another one may follow.
_BROKEN_OFF = frozenset({Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED, Outcome.CONNECT_ERROR})
_NO_CONTENT = 204


class Reconnects:
    """The reconnects of one stream."""

    __slots__ = ("_event_id", "_plan", "_request", "_wait_s", "count")

    def __init__(self, plan: StreamPlan) -> None:
        self._plan = plan
        #: The request to repeat, without cookies.
        self._request = plan.request
        #: The id of the last event; None if none had an id.
        self._event_id: str | None = None
        self._wait_s = DEFAULT_WAIT_S
        #: How many times the stream was connected to again, or began to wait for it.
        self.count = 0

    def redirected(self, request: Request) -> None:
        """Repeat ``request`` from now on."""
        self._request = request

    def may_follow(self, outcome: Outcome, head: Head | None, body: BodyReader | None) -> bool:
        """Whether another connection may follow one that ended so, with this body if it got so far."""
        return (
            self.count < self._plan.reconnect
            and outcome in _BROKEN_OFF
            and not (body is not None and body.checks.end_came)
            and not (head is not None and head.status == _NO_CONTENT)
        )

    def begin(self, body: BodyReader | None) -> float:
        """Count a reconnect, and return how many seconds to wait before it."""
        self.count += 1
        if body is not None:
            event_id, retry_ms = body.decoder.resumption()
            if event_id is not None:
                self._event_id = event_id
            if retry_ms is not None:
                self._wait_s = retry_ms / 1000
        return self._wait_s

    def next_request(self) -> Request:
        """Return the request that asks for what follows the last event. Raises RequestError."""
        try:
            return resumed(self._request, self._event_id)
        except RequestError:
            raise RequestError(f"an event's id that no header field can carry: {self._event_id!r}") from None

    def nothing_follows(self, head: Head) -> bool:
        """Whether the response to a reconnect says that nothing more will come."""
        return self.count > 0 and head.status == _NO_CONTENT

    def end_without_more(self) -> Ending:
        """Return how the stream ends if nothing follows."""
        if self._plan.end is None:
            return Outcome.COMPLETED, ""
        return Outcome.INCOMPLETE, "the server has nothing more (status 204), and the named end had not come"


def resumed(request: Request, event_id: str | None) -> Request:
    """Return ``request`` for what follows the event of this id; None leaves it as it is. Raises RequestError."""
    if event_id is None:
        return request
    headers = {name: value for name, value in request.headers.items() if name.lower() != "last-event-id"}
    if event_id:
        headers["Last-Event-ID"] = event_id.encode().decode("latin-1")
    return replace(request, headers=headers)
