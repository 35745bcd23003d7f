"""How long a thread was ready to run while other threads had the CPU, by the kernel's own account of it."""

import os
import weakref
from pathlib import Path

#: Time on the CPU, time spent waiting for it, both in ns, and how often the thread got it.
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
_BYTES = 80


class CpuWait:
    """The waiting of the thread that makes this object; a forked process needs one of its own.

    Linux counts every wait (``run_delay`` of the thread's schedstat). With CPU time to spare it grows by about a
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
        """Nanoseconds waited since the thread began; always 0 where the system keeps no account."""
        if self._file is None:
            return 0
        try:
            return int(os.pread(self._file, _BYTES, 0).split()[1])
        except (OSError, ValueError, IndexError):
            return 0
