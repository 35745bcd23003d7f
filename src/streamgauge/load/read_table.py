"""The descriptors that the hub's reactor watches for reading, in two epolls: those whose data may wait, and others."""

import heapq
import itertools
import time
from typing import Any

from gevent import monkey

from streamgauge.client.reactor import LONGEST_WAIT_S, WAITS_S, Callback

_EPOLLIN = 1
#: So many descriptors that allow only a shorter wait make all wait no longer. For fewer, extra wake-ups cost less.
FEW = 4


class ReadTable:
    """All descriptors that are watched for reading."""

    __slots__ = (
        "_order",
        "_reminders",
        "_shorter",
        "all",
        "collected",
        "items",
        "readers",
        "urgent",
        "wait_s",
        "waiting",
    )

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
        #: How many descriptors wait now.
        self.waiting = 0
        #: The descriptors that allow only a shorter wait, by that wait.
        self._shorter: dict[float, set[EpollReading]] = {wait_s: set() for wait_s in sorted(WAITS_S[1:])}
        self._reminders: list[tuple[float, int, EpollReading]] = []
        self._order = itertools.count()

    def change_wait(self, reading: "EpollReading", before_s: float, now_s: float) -> None:
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

    def remind(self, reading: "EpollReading", at_s: float) -> None:
        """Call the reading's ``on_reminder`` at this time, on the monotonic clock, or in the first pass after it."""
        heapq.heappush(self._reminders, (at_s, next(self._order), reading))

    def run_reminders(self) -> None:
        """Call those whose time has come."""
        reminders, now_s = self._reminders, time.monotonic()
        while reminders and reminders[0][0] <= now_s:
            heapq.heappop(reminders)[2].on_reminder(now_s)


class EpollReading:
    """A file descriptor in one of the two epolls."""

    __slots__ = ("_allowed_s", "_at_once", "_at_once_until_s", "_fd", "_table", "_wait_s", "_waits")

    def __init__(self, table: ReadTable, fd: int, callback: Callback) -> None:
        self._table, self._fd = table, fd
        #: The wait that was allowed, and the wait that is in force now.
        self._allowed_s = self._wait_s = 0.0
        self._at_once, self._at_once_until_s = False, 0.0
        #: Whether it is in the epoll of those that wait.
        self._waits = False
        table.readers[fd] = callback
        table.urgent.register(fd, _EPOLLIN)

    def call(self, callback: Callback) -> None:
        """See ``Reading``."""
        if self._fd >= 0:
            self._table.items.pop(self._fd, None)
            self._table.readers[self._fd] = callback

    def collect(self, item: object) -> None:
        """See ``Reading``."""
        if self._fd >= 0:
            self._table.items[self._fd] = item

    def may_wait(self, wait_s: float) -> None:
        """See ``Reading``."""
        self._allowed_s = wait_s
        self._apply()

    def read_at_once_for(self, for_s: float) -> None:
        """See ``Reading``."""
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
            self._table.waiting += 1 if waits else -1
            self._epoll().register(self._fd, _EPOLLIN)

    def _epoll(self) -> Any:
        return self._table.all if self._waits else self._table.urgent

    def stop(self) -> None:
        """See ``Reading``."""
        if self._fd >= 0:
            del self._table.readers[self._fd]
            self._table.items.pop(self._fd, None)
            self._epoll().unregister(self._fd)
            self._table.waiting -= self._waits
            self._waits = False
            self._fd = -1
            self._apply()
