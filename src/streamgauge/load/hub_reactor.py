"""gevent's hub as a ``Reactor``: callbacks run in the hub, with no greenlet switch per chunk.

All descriptors that are watched for reading are in an epoll of our own, which is one file descriptor to libev. A pass
asks it once for all that are readable; libev would call back to Python for each, through a watcher of its own.

While data arrives often, the loop leaves what may wait unread for up to ten milliseconds, and then reads it together:
``streamgauge.client.read.read_schedule`` says why, and what may wait. The wait is the longest that all but a few
descriptors allow. Descriptors that allow less are in a second epoll inside the first, and are read at once.
"""

import heapq
import itertools
import sys
import time
from typing import Any

import gevent
from gevent import monkey

from streamgauge.client.reactor import LONGEST_WAIT_S, WAITS_S, AfterPass, Callback, Reading, Watch

_READ, _WRITE = 1, 2
_EPOLLIN = 1
#: The loop begins to wait once data that may wait arrives this often in the time that it would wait.
WORTH_A_WAIT = 2
#: So many descriptors that allow only a shorter wait make all wait no longer. For fewer, extra wake-ups cost less.
FEW = 4


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._table = table = _Table()
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
        waited = self._call_back(self._table.all) - self._urgent_entries
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
        return _EpollReading(self._table, fd, callback)

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


class _Table:
    """All descriptors that are watched for reading."""

    __slots__ = ("_order", "_reminders", "_shorter", "all", "collected", "items", "readers", "urgent", "wait_s")

    def __init__(self) -> None:
        epoll = monkey.get_original("select", "epoll")
        #: The descriptors that wait, with the epoll of those that do not as one more entry.
        self.all, self.urgent = epoll(), epoll()
        self.all.register(self.urgent.fileno(), _EPOLLIN)
        #: By file descriptor: the callback, and the item to collect instead of calling it.
        self.readers: dict[int, Callback] = {}
        self.items: dict[int, object] = {}
        self.collected: list[object] = []
        #: How long data waits. Descriptors that allow less are read at once.
        self.wait_s = LONGEST_WAIT_S
        #: The descriptors that allow only a shorter wait, by that wait.
        self._shorter: dict[float, set[_EpollReading]] = {wait_s: set() for wait_s in sorted(WAITS_S[1:])}
        self._reminders: list[tuple[float, int, _EpollReading]] = []
        self._order = itertools.count()

    def change_wait(self, reading: "_EpollReading", before_s: float, now_s: float) -> None:
        """Account for a descriptor that allowed one wait and allows another now; 0 is none."""
        if before_s not in self._shorter and now_s not in self._shorter:
            return
        if before_s in self._shorter:
            self._shorter[before_s].remove(reading)
        if now_s in self._shorter:
            self._shorter[now_s].add(reading)
        was_s, self.wait_s = self.wait_s, self._allowed_s()
        if was_s != self.wait_s:
            for wait_s, readings in self._shorter.items():
                if wait_s < max(was_s, self.wait_s):  # there are only a few of these
                    for each in readings:
                        each.move()

    def _allowed_s(self) -> float:
        """Return the longest wait that all but a few descriptors allow."""
        count = 0
        for wait_s, readings in self._shorter.items():
            count += len(readings)
            if count >= FEW:
                return wait_s
        return LONGEST_WAIT_S

    def remind(self, reading: "_EpollReading", at_s: float) -> None:
        """Call the reading's ``on_reminder`` at this time, on the monotonic clock, or in the first pass after it."""
        heapq.heappush(self._reminders, (at_s, next(self._order), reading))

    def run_reminders(self) -> None:
        """Call those whose time has come."""
        reminders, now_s = self._reminders, time.monotonic()
        while reminders and reminders[0][0] <= now_s:
            heapq.heappop(reminders)[2].on_reminder(now_s)


class _EpollReading:
    """A file descriptor in one of the two epolls."""

    __slots__ = ("_allowed_s", "_at_once", "_at_once_until_s", "_fd", "_table", "_wait_s", "_waits")

    def __init__(self, table: _Table, fd: int, callback: Callback) -> None:
        self._table, self._fd = table, fd
        #: The wait that was allowed, and the wait that is in force now.
        self._allowed_s = self._wait_s = 0.0
        self._at_once, self._at_once_until_s = False, 0.0
        #: Whether it is in the epoll of those that wait.
        self._waits = False
        table.readers[fd] = callback
        table.urgent.register(fd, _EPOLLIN)

    def call(self, callback: Callback) -> None:
        if self._fd >= 0:
            self._table.items.pop(self._fd, None)
            self._table.readers[self._fd] = callback

    def collect(self, item: object) -> None:
        if self._fd >= 0:
            self._table.items[self._fd] = item

    def may_wait(self, wait_s: float) -> None:
        self._allowed_s = wait_s
        self._apply()

    def read_at_once_for(self, for_s: float) -> None:
        self._at_once_until_s = time.monotonic() + for_s
        if not self._at_once:
            self._at_once = True
            self._apply()
            self._table.remind(self, self._at_once_until_s)

    def on_reminder(self, now_s: float) -> None:
        """End the time in which all is read at once, unless it was extended."""
        if self._fd >= 0 and now_s < self._at_once_until_s:
            self._table.remind(self, self._at_once_until_s)
        else:
            self._at_once = False
            self._apply()

    def _apply(self) -> None:
        wait_s = 0.0 if self._at_once or self._fd < 0 else self._allowed_s
        if wait_s != self._wait_s:
            before_s, self._wait_s = self._wait_s, wait_s
            self._table.change_wait(self, before_s, wait_s)
            self.move()

    def move(self) -> None:
        """Move to the epoll in which it belongs now."""
        waits = self._wait_s >= self._table.wait_s
        if waits != self._waits and self._fd >= 0:
            self._epoll().unregister(self._fd)
            self._waits = waits
            self._epoll().register(self._fd, _EPOLLIN)

    def _epoll(self) -> Any:
        return self._table.all if self._waits else self._table.urgent

    def stop(self) -> None:
        if self._fd >= 0:
            del self._table.readers[self._fd]
            self._table.items.pop(self._fd, None)
            self._epoll().unregister(self._fd)
            self._fd = -1
            self._apply()


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
