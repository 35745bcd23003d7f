"""Admission control: which streams run, how many each client has, and whether a new one may start."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.types import Scope

from streamgauge.asgi import mark_outcome
from target_app.guard.connection import Connection
from target_app.guard.count import StreamCount
from target_app.guard.rate import TokenBuckets
from target_app.guard.refusal import Refusal, retry_after
from target_app.guard.start_queue import StartQueue
from target_app.settings import Settings

#: A stream at its deadline ends by itself with an error inside it, if its client reads and its format has errors. It
#: has this time for that, counted from when the event loop runs the deadline's timer.
_LAST_CHUNK_S = 1.0


class Running:
    """A running stream."""

    __slots__ = ("_scope", "_task")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._task = asyncio.current_task()

    def abort(self, outcome: str) -> None:
        """Abort the stream and its connection now; the recorder counts it as ``outcome``."""
        mark_outcome(self._scope, outcome)
        connection = Connection.of(self._scope)
        if connection is not None:
            connection.abort()
        elif self._task is not None:
            self._task.cancel()


class _Deadline:
    """Aborts a stream that has lasted for ``longest_s`` and the time for its last chunk."""

    __slots__ = ("_running", "_timer")

    def __init__(self, running: Running, longest_s: float) -> None:
        self._running = running
        self._timer = asyncio.get_running_loop().call_later(longest_s, self._over)

    def cancel(self) -> None:
        """Stop the timer: the stream has ended."""
        self._timer.cancel()

    def _over(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LAST_CHUNK_S, self._running.abort, "deadline")


class AdmissionControl:
    """Admits streams within the limits of ``settings``. One per app, at ``app.state.admission``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_client: Counter[str] = Counter()
        self._buckets = TokenBuckets(settings.starts_per_s, settings.start_burst) if settings.starts_per_s else None
        self.start_queue = StartQueue()
        self.running: set[Running] = set()
        """This worker's running streams."""
        self.streams = StreamCount()
        """The number of running streams over all workers."""
        self.draining = False
        """Whether the app is shutting down: it refuses new streams."""

    @property
    def full(self) -> bool:
        """Whether the limit of streams is reached."""
        most = self._settings.max_streams
        return bool(most) and self.streams.total >= most

    def refusal_for_all(self) -> Refusal | None:
        """Refuse any new stream while the app drains or is full."""
        if self.draining:
            wait, close = retry_after(self._settings.grace_s), (b"connection", b"close")
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the service is shutting down", (wait, close))
        if self.full:
            detail = f"the limit of {self._settings.max_streams} concurrent streams is reached"
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "full", detail, (retry_after(1),))
        return None

    def refusal_for(self, client: str, costs_a_token: bool) -> Refusal | None:
        """Refuse ``client`` if it has too many streams, or starts them too fast: then it has no token to pay with."""
        most = self._settings.max_streams_per_client
        if most and self._by_client[client] >= most:
            detail = f"the limit of {most} concurrent streams per client is reached"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "client_full", detail, (retry_after(1),))
        wait_s = self._buckets.take(client) if self._buckets is not None and costs_a_token else 0.0
        if wait_s:
            detail = f"the limit of {self._settings.starts_per_s:g} new streams per second and client is reached"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit", detail, (retry_after(wait_s),))
        return None

    @property
    def limits_rate(self) -> bool:
        """Whether a start costs a token."""
        return self._buckets is not None

    def refund(self, client: str) -> None:
        """Give ``client`` the token of its last start back: it started no stream."""
        if self._buckets is not None:
            self._buckets.give_back(client)

    @contextmanager
    def admitted(self, scope: Scope, client: str) -> Iterator[None]:
        """Count a running stream of ``client`` while the context lasts; abort it after ``max_stream_s``."""
        running = Running(scope)
        deadline = _Deadline(running, self._settings.max_stream_s)
        self.running.add(running)
        self._by_client[client] += 1
        self.streams.add(1)
        try:
            yield
        finally:
            deadline.cancel()
            self.running.discard(running)
            self.streams.add(-1)
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    def abort_all(self, outcome: str) -> None:
        """Abort all streams of this worker now."""
        for running in tuple(self.running):
            running.abort(outcome)
