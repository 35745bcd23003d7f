"""gevent's hub as a ``Reactor``: callbacks run in the hub, with no greenlet switch per chunk.

All descriptors that are watched for reading are in an epoll of our own, which is one file descriptor to libev. A pass
asks it once for all that are readable; libev would call back to Python for each, through a watcher of its own.

While data arrives often, the loop leaves what may wait unread for up to ten milliseconds, and then reads it together:
``streamgauge.client.read.read_schedule`` says why, and what may wait. The wait is the longest that all but a few
descriptors allow. Descriptors that allow less are in a second epoll inside the first, and are read at once.
"""

import sys
import time
from typing import Any

import gevent

from streamgauge.client.reactor import LONGEST_WAIT_S, AfterPass, Callback, Reading, Watch
from streamgauge.load.read_table import EpollReading, ReadTable

_READ, _WRITE = 1, 2
#: The loop begins to wait once data that may wait arrives this often in the time that it would wait.
WORTH_A_WAIT = 2


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._table = table = ReadTable()
        self._around_each_pass: list[tuple[Callback, AfterPass]] = []
        self._around_each_part: list[tuple[Callback, Callback]] = []
        self._on_any_readable = self._loop.io(table.all.fileno(), _READ, ref=False)
        self._on_urgent_readable = self._loop.io(table.urgent.fileno(), _READ, ref=False)
        #: Fires after each wait; None while everything is read at once.
        self._gather_timer: Watch | None = None
        self._gathering_for_s = 0.0
        #: When data last woke the loop, and when it last polled.
        self._woken_s = self._polled_s = 0.0
        #: 1 if the present pass found urgent descriptors readable: the epoll of those is one entry in the first.
        self._urgent_entries = 0
        table.readers[table.urgent.fileno()] = self._read_urgent
        self._on_any_readable.start(self._on_any)

    @property
    def gathering_for_s(self) -> float:
        """For how long data that may wait is left unread now; 0 while everything is read at once."""
        return self._gathering_for_s

    def _on_any(self) -> None:
        before_s, self._woken_s = self._woken_s, self._loop.now()
        if self.poll() and self._woken_s - before_s < self._table.wait_s / WORTH_A_WAIT:
            self._on_any_readable.stop()
            self._on_urgent_readable.start(self._on_urgent)
            self._gather_for(self._table.wait_s)

    def _on_gathered(self) -> None:
        if not self.poll():
            self._woken_s = self._loop.now()
            self._gather_for(0.0)
            self._on_urgent_readable.stop()
            self._on_any_readable.start(self._on_any)
        elif self._gathering_for_s != self._table.wait_s:
            self._gather_for(self._table.wait_s)

    def _gather_for(self, wait_s: float) -> None:
        if self._gather_timer is not None:
            self._gather_timer.stop()
        self._gather_timer = self.every(wait_s, self._on_gathered) if wait_s else None
        self._gathering_for_s = wait_s

    def _on_urgent(self) -> None:
        for before, _ in self._around_each_part:
            before()
        self._read_urgent()
        self._after()
        for _, after in self._around_each_part:
            after()

    def poll(self) -> int:
        """Run one pass over all that is readable now. Return how many of the descriptors may wait."""
        self._urgent_entries, self._polled_s = 0, time.monotonic()
        self._table.run_reminders()
        for before, _ in self._around_each_pass:
            before()
        waited = 0
        if self._table.waiting:
            waited = self._call_back(self._table.all) - self._urgent_entries
        else:
            self._read_urgent()
        self._after()
        return waited

    def poll_if_overdue(self) -> None:
        """See ``Reactor``. gevent runs up to a thousand greenlets in a row before it polls."""
        if time.monotonic() - self._polled_s > LONGEST_WAIT_S:
            self.poll()

    def _after(self) -> None:
        table = self._table
        collected, table.collected = table.collected, []
        for _, after in self._around_each_pass:
            after(collected)

    def _read_urgent(self) -> None:
        self._urgent_entries = 1
        self._call_back(self._table.urgent)

    def _call_back(self, epoll: Any) -> int:
        """Call back for all that is readable. One poll, so that what it does not find was not readable by now."""
        readers, items = self._table.readers, self._table.items
        readable = epoll.poll(0, len(readers))
        collected = [items[fd] for fd, _ in readable if fd in items]
        if len(collected) < len(readable):
            for fd in [fd for fd, _ in readable if fd not in items]:
                callback = readers.get(fd)
                if callback is not None:  # a callback before may have stopped it
                    try:
                        callback()
                    except Exception:
                        self._hub.handle_error(callback, *sys.exc_info())
        self._table.collected += collected
        return len(readable)

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """See ``Reactor``."""
        return EpollReading(self._table, fd, callback)

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """See ``Reactor``."""
        self._around_each_pass.append((before, after))

    def around_each_part(self, before: Callback, after: Callback) -> None:
        """See ``Reactor``."""
        self._around_each_part.append((before, after))

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.io(fd, _WRITE), callback)

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.timer(max(0.0, delay_s)), callback)

    def every(self, interval_s: float, callback: Callback) -> Watch:
        """Call ``callback`` at the multiples of an interval, so that equal intervals wake the process once.

        It does not keep the loop alive.
        """
        first_s = interval_s - self._loop.now() % interval_s
        return self._started(self._loop.timer(first_s, repeat=interval_s, ref=False), callback)

    @staticmethod
    def _started(watcher: Any, callback: Callback) -> Watch:
        watcher.start(callback)
        return _HubWatch(watcher)


class _HubWatch:
    """A libev watcher that is freed when it stops."""

    __slots__ = ("_watcher",)

    def __init__(self, watcher: Any) -> None:
        self._watcher = watcher

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
