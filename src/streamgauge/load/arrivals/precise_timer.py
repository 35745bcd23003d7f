"""A timer that rings within microseconds: libev waits in whole milliseconds, a part of every start delay.

Linux's timerfd is a descriptor that becomes readable at a given time, and the event loop sees it at once. On other
systems libev's own timer serves.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent

_READ = 1
_CLOCK_MONOTONIC, _ABSOLUTE = 1, 1
_BYTES = 8


class _Spec(ctypes.Structure):
    """``struct itimerspec``: an interval, which is 0, and a time, each in seconds and nanoseconds."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class PreciseTimer:
    """Calls ``ring`` in the hub once it is the time that was set last."""

    def __init__(self, ring: Callable[[], None], *, precise: bool = sys.platform == "linux") -> None:
        self._ring = ring
        self._loop = gevent.get_hub().loop
        self._watcher: Any = None
        self._libc: Any = None
        self._fd = -1
        if precise:
            self._libc = ctypes.CDLL(None)
            self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd >= 0:
            self._watcher = self._loop.io(self._fd, _READ)
            self._watcher.start(self._on_readable)

    @property
    def precise(self) -> bool:
        """Whether it rings within microseconds."""
        return self._fd >= 0

    def set(self, at_s: float) -> None:
        """Ring at ``at_s`` of the monotonic clock, or at once if that is over; forget the time that was set before."""
        if not self.precise:
            self._set_plain(at_s)
            return
        seconds, part_s = divmod(max(at_s, 1e-9), 1)
        spec = _Spec(0, 0, int(seconds), max(int(part_s * 1e9), 0 if seconds else 1))  # all zeros would disarm it
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None)

    def _set_plain(self, at_s: float) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
        self._watcher = self._loop.timer(max(0.0, at_s - time.monotonic()))
        self._watcher.start(self._ring, update=True)

    def _on_readable(self) -> None:
        with suppress(BlockingIOError):  # it was set again since
            os.read(self._fd, _BYTES)
            self._ring()

    def close(self) -> None:
        """Ring no more."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
