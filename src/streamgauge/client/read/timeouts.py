"""How long a stream may keep its reader waiting: one timer per stream, set again only when it fires.

A chunk moves the time at which the stream counts as stalled, and costs nothing here: the timer fires at the old time,
finds that the time has moved, and is set to the new one.
"""

from collections.abc import Callable

from streamgauge.client.plan import Limits
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.read.timing import ChunkTimer


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
        waits_s = (limits.first_chunk_timeout_s, limits.idle_timeout_s, limits.total_timeout_s)
        #: All limits count from the start or later, so that the shortest of them is the first that can be exceeded.
        self._watch = self._after([wait_s for wait_s in waits_s if wait_s is not None])

    def wait(self) -> None:
        """Wait for the next time at which to check."""
        if self._watch is not None:
            self._watch.stop()
        self._watch = self._set()

    def _set(self) -> Watch | None:
        """Set a timer for the next check; None if no limit asks for one."""
        due_ns, _ = self._due()
        waits_s = [] if due_ns is None else [max(0.0, (due_ns - self._now_ns()) / 1e9)]
        if self._timer.first_ns is None and self._limits.idle_timeout_s is not None:
            waits_s.append(self._limits.idle_timeout_s)  # it counts from the first chunk, which may come at once
        return self._after(waits_s)

    def _after(self, waits_s: list[float]) -> Watch | None:
        return self._reactor.after(min(waits_s), self._on_check) if waits_s else None

    def exhausted(self) -> str:
        """Return which limit the stream has exceeded by now; empty if none."""
        due_ns, reason = self._due()
        return reason if due_ns is not None and due_ns <= self._now_ns() else ""

    def stop(self) -> None:
        """Stop checking for good. May be called twice."""
        if self._watch is not None:
            self._watch.stop()
        self._on_check = _check_nothing  # no cycle of references is left for the garbage collector

    def _due(self) -> tuple[int | None, str]:
        """Return the next time at which the stream counts as stalled unless a chunk comes, and by which limit."""
        limits, timer = self._limits, self._timer
        waiting = (
            (max(timer.start_ns, timer.taken_ns), limits.first_chunk_timeout_s, "first chunk")
            if timer.first_ns is None
            else (max(timer.last_ns, timer.taken_ns), limits.idle_timeout_s, "chunk")
        )
        found = [
            (since_ns + round(limit_s * 1e9), f"no {what} within {limit_s:g} s")
            for since_ns, limit_s, what in (waiting, (timer.start_ns, limits.total_timeout_s, "end"))
            if limit_s is not None
        ]
        return min(found, default=(None, ""))


def _check_nothing() -> None:
    """Stand in for what to check, once the stream has ended."""
