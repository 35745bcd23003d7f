"""The gate: which streams are under way, how many each client has, and whether new ones are let in."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.types import Scope

from streamgauge.asgi import mark_outcome
from target_app.guard.connection import Connection
from target_app.guard.count import StreamCount
from target_app.guard.rate import Buckets
from target_app.guard.refusal import Refusal, retry_after
from target_app.guard.turnstile import Turnstile
from target_app.settings import Settings

#: A stream that is over its time ends with an error inside it, if its client reads and its format can say so. That it
#: has a second for, once the loop has seen that its time is over: one that was held up until then has none of it yet.
_LAST_WORD_S = 1.0


class Running:
    """A stream under way."""

    __slots__ = ("_scope", "_task")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._task = asyncio.current_task()

    def cut(self, outcome: str) -> None:
        """End it now, its connection with it; the recorder counts it as ``outcome``."""
        mark_outcome(self._scope, outcome)
        connection = Connection.of(self._scope)
        if connection is not None:
            connection.cut()
        elif self._task is not None:
            self._task.cancel()


class _Deadline:
    """Cuts a stream that has lasted for ``longest_s``, its last word included."""

    __slots__ = ("_running", "_timer")

    def __init__(self, running: Running, longest_s: float) -> None:
        self._running = running
        self._timer = asyncio.get_running_loop().call_later(longest_s, self._over)

    def cancel(self) -> None:
        """The stream has ended."""
        self._timer.cancel()

    def _over(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LAST_WORD_S, self._running.cut, "deadline")


class Gate:
    """Lets streams in as ``settings`` say, and knows those under way. One per app, at ``app.state.gate``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_client: Counter[str] = Counter()
        self._buckets = Buckets(settings.starts_per_s, settings.start_burst) if settings.starts_per_s else None
        self.turnstile = Turnstile()
        self.running: set[Running] = set()
        """This worker's streams under way."""
        self.streams = StreamCount()
        """How many there are, over all workers."""
        self.draining = False
        """Whether the app is ending: it lets no new stream in."""

    @property
    def full(self) -> bool:
        """Whether there are as many streams as there may be."""
        most = self._settings.max_streams
        return bool(most) and self.streams.total >= most

    def closed(self) -> Refusal | None:
        """The refusal that any new stream would get, whoever asks."""
        if self.draining:
            wait, close = retry_after(self._settings.grace_s), (b"connection", b"close")
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the service is ending", (wait, close))
        if self.full:
            detail = f"there are {self._settings.max_streams} streams already, as many as there may be"
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "full", detail, (retry_after(1),))
        return None

    def refuses(self, client: str) -> Refusal | None:
        """The refusal for ``client``, where its streams are too many or begin too fast."""
        most = self._settings.max_streams_per_client
        if most and self._by_client[client] >= most:
            detail = f"this client has {most} streams already, as many as it may have"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "client_full", detail, (retry_after(1),))
        wait_s = self._buckets.take(client) if self._buckets is not None else 0.0
        if wait_s:
            detail = f"this client may start {self._settings.starts_per_s:g} streams a second"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit", detail, (retry_after(wait_s),))
        return None

    @contextmanager
    def admitted(self, scope: Scope, client: str) -> Iterator[None]:
        """A stream of ``client`` is under way, for as long as this lasts; past ``max_stream_s`` it is cut."""
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

    def cut_all(self, outcome: str) -> None:
        """End all streams of this worker now."""
        for running in tuple(self.running):
            running.cut(outcome)
