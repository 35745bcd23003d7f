"""Measure how long a thread was ready to run while other threads had the CPU, as the kernel counts it."""

import os
import time
import weakref
from pathlib import Path

#: Holds the time on the CPU and the time of waiting for it, both in ns, and how often the thread got the CPU.
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
_BYTES = 80


class CpuWait:
    """The waiting time of the thread that creates this object; a forked process must create its own.

    Linux counts every wait (``run_delay`` of the thread's schedstat). On an idle machine it grows by about a
    microsecond each time the thread wakes up. Reading it takes a microsecond.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        try:
            file = os.open(_SCHEDSTAT, os.O_RDONLY)
        except OSError:
            return
        weakref.finalize(self, os.close, file)
        self._file = file

    def ns(self) -> int:
        """Return the nanoseconds waited since the thread began; always 0 if the system does not count them."""
        return self._waited_ns() or 0

    def busy_ns(self) -> int | None:
        """Return the nanoseconds that the thread ran or waited for a CPU; None if the system does not count waits."""
        waited_ns = self._waited_ns()
        return None if waited_ns is None else waited_ns + time.thread_time_ns()

    def _waited_ns(self) -> int | None:
        if self._file is None:
            return None
        try:
            return int(os.pread(self._file, _BYTES, 0).split()[1])
        except (OSError, ValueError, IndexError):
            return None
