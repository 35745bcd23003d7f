"""Finds out since when data can have waited in the kernel, from how long this thread did not sleep.

A thread that sleeps in its event loop is woken as soon as a socket is readable. So what it reads cannot have arrived
much earlier than its last sleep ended, and since a mark it was awake for at most the time that it ran or waited for a
CPU. Only a process that is stopped, by a signal or a hypervisor, leaves data unread without running or waiting: its
data is older than that.
"""

import time
from collections.abc import Callable

from streamgauge.stats.clocks.arrival import READABLE_AFTER_NS


class SleepMark:
    """A mark in time. ``busy_ns`` returns how long this thread has run or waited so far; None if that is unknown."""

    __slots__ = ("_busy_ns", "_marked_ns", "_now_ns")

    def __init__(self, busy_ns: Callable[[], int | None], now_ns: Callable[[], int]) -> None:
        self._busy_ns, self._now_ns = busy_ns, now_ns
        #: None before the first mark.
        self._marked_ns: int | None = None

    def mark(self, waited_ns: int | None = None) -> None:
        """Set the mark to now. ``waited_ns`` is how long the thread has waited for a CPU, if that was just read."""
        self._marked_ns = self._busy_ns() if waited_ns is None else waited_ns + time.thread_time_ns()

    def mark_at(self, busy_ns: int | None) -> None:
        """Set the mark to when the thread had run or waited for so long, if there is none yet."""
        if self._marked_ns is None:
            self._marked_ns = busy_ns

    def earliest_ns(self, floor_ns: int, arrival_ns: int) -> int:
        """Return the earliest arrival, in monotonic ns, of what was read just now.

        ``floor_ns`` is the earliest one known otherwise, and ``arrival_ns`` the arrival of the last byte.
        """
        if self._marked_ns is None or (busy_ns := self._busy_ns()) is None:
            return floor_ns
        return earliest_ns(self._now_ns(), busy_ns - self._marked_ns, floor_ns, arrival_ns)


def earliest_ns(now_ns: int, busy_ns: int, floor_ns: int, arrival_ns: int) -> int:
    """Return the earliest arrival of what was read at ``now_ns`` and asked for before the thread was busy so long.

    ``floor_ns`` and ``arrival_ns`` are as in :meth:`SleepMark.earliest_ns`.
    """
    awake_ns = now_ns - busy_ns - READABLE_AFTER_NS
    return max(floor_ns, awake_ns) if awake_ns <= arrival_ns else floor_ns
