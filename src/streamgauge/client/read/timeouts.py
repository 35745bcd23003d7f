"""How long a stream may keep its reader waiting: one timer a stream, set anew only when it rings.

A chunk moves the moment at which the stream counts as stalled, and costs nothing here: the timer rings when that moment
was due before, finds that it has moved, and is set to it.
"""

from collections.abc import Callable

from streamgauge.client.plan import Limits
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.read.timing import ChunkTimer

#: How long a peer is waited for that does not answer the close of a WebSocket. RFC 6455 section 7.1.1 asks for a
#: reasonable time; a peer that reads at all answers within a round trip, and 10 s is what most libraries give it.
CLOSING_S = 10.0
_NO_LIMITS = Limits(None, None, None)


class Timeouts:
    """Calls ``on_check`` when the stream may have stalled; :meth:`exhausted` says whether it has."""

    __slots__ = ("_limits", "_now_ns", "_on_check", "_reactor", "_timer", "_watch")

    def __init__(
        self,
        limits: Limits,
        timer: ChunkTimer,
        now_ns: Callable[[], int],
        reactor: Reactor,
        on_check: Callable[[], None],
    ) -> None:
        self._limits, self._timer = limits, timer
        self._now_ns, self._reactor, self._on_check = now_ns, reactor, on_check
        self._watch: Watch | None = None

    def wait(self) -> None:
        """Set the timer for the next moment at which to check, where there is a limit."""
        due_ns, _ = self._due()
        waits_s = [] if due_ns is None else [max(0.0, (due_ns - self._now_ns()) / 1e9)]
        if self._timer.first_ns is None and self._limits.idle_timeout_s is not None:
            waits_s.append(self._limits.idle_timeout_s)  # it counts from the first chunk, which may come at once
        if waits_s:
            self._watch = self._reactor.after(min(waits_s), self._on_check)

    def exhausted(self) -> str:
        """Which limit the stream has overstepped by now; empty where none."""
        due_ns, reason = self._due()
        return reason if due_ns is not None and due_ns <= self._now_ns() else ""

    def closing(self, on_over: Callable[[], None]) -> None:
        """The stream is being closed from here: no limit holds any more but ``CLOSING_S``, after which call that."""
        self.stop()
        self._limits = _NO_LIMITS
        self._watch = self._reactor.after(CLOSING_S, on_over)

    def stop(self) -> None:
        """Check no more."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _due(self) -> tuple[int | None, str]:
        """The next moment at which the stream counts as stalled unless something comes, and which limit that is."""
        limits, timer = self._limits, self._timer
        waiting = (
            (timer.start_ns, limits.first_chunk_timeout_s, "first chunk")
            if timer.first_ns is None
            else (timer.last_ns, limits.idle_timeout_s, "chunk")
        )
        found = [
            (since_ns + round(limit_s * 1e9), f"no {what} within {limit_s:g} s")
            for since_ns, limit_s, what in (waiting, (timer.start_ns, limits.total_timeout_s, "end"))
            if limit_s is not None
        ]
        return min(found, default=(None, ""))
