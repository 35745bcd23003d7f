"""gevent's hub as a ``Reactor``: callbacks run in the hub, with no greenlet switch per chunk.

What is to be read waits in an epoll of our own, which is one file descriptor to libev. A pass asks it once for all that
is readable, where libev would come back to Python, by way of a watcher of its own, for each.

Being woken costs a process more than reading a chunk does. So, while chunks come fast, what may wait is left unread for
ten milliseconds, or for less where some of it bears less, and then read together: the kernel has its moment. What may
not wait is in an epoll inside the first, and so is what has been watched for a short while only (whoever starts a
stream when one has ended would start late), what was told to hurry, and what would keep all others from waiting longer
though it is only a few.
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
#: What has been watched for less does not wait: at the end of a stream this old the wait is 1 % of it in the mean.
OLD_S = 50 * LONGEST_WAIT_S
#: Waiting begins where what may wait comes that often in the time that it would wait.
WORTH_A_WAIT = 2
#: What was told to hurry waits again when it was not told so for this long.
HURRY_S = 60.0
#: So many make all wait no longer than they may: to be woken for fewer costs less than to wake for all so much oftener.
#: What waits for ``wait_s`` at most comes twice as far apart, or further.
FEW = 4


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._table = table = _Table()
        self._around_each_pass: list[tuple[Callback, AfterPass]] = []
        self._around_each_part: list[tuple[Callback, Callback]] = []
        self._any = self._loop.io(table.all.fileno(), _READ, ref=False)
        self._meanwhile = self._loop.io(table.pressing.fileno(), _READ, ref=False)
        self._gathered: Watch | None = None
        self._gathered_for_s = 0.0
        self._looked_s = self._asked_s = 0.0
        self._pressed = 0
        table.readers[table.pressing.fileno()] = self._read_pressing
        self._any.start(self._on_any)

    # When to look

    @property
    def gathering_for_s(self) -> float:
        """For how long what may wait is left unread now; 0 while all is read at once."""
        return self._gathered_for_s

    def _on_any(self) -> None:
        looked_s, self._looked_s = self._looked_s, self._loop.now()
        if self.look() and self._looked_s - looked_s < self._table.wait_s / WORTH_A_WAIT:
            self._any.stop()
            self._meanwhile.start(self._on_pressing)
            self._gather_for(self._table.wait_s)

    def _on_gathered(self) -> None:
        if not self.look():
            self._looked_s = self._loop.now()
            self._gather_for(0.0)
            self._meanwhile.stop()
            self._any.start(self._on_any)
        elif self._gathered_for_s != self._table.wait_s:
            self._gather_for(self._table.wait_s)

    def _gather_for(self, wait_s: float) -> None:
        if self._gathered is not None:
            self._gathered.stop()
        self._gathered = self.every(wait_s, self._on_gathered) if wait_s else None
        self._gathered_for_s = wait_s

    def _on_pressing(self) -> None:
        for before, _ in self._around_each_part:
            before()
        self._read_pressing()
        self._after()
        for _, after in self._around_each_part:
            after()

    # Looking

    def look(self) -> int:
        """One pass: call back for all that is readable now, and return how much there was that may wait."""
        self._pressed, self._asked_s = 0, time.monotonic()
        self._table.age()
        for before, _ in self._around_each_pass:
            before()
        waited = self._call_back(self._table.all) - self._pressed
        self._after()
        return waited

    def look_in_time(self) -> None:
        """See ``Reactor``. Users who start together are up to a thousand greenlets to gevent before it asks again."""
        if time.monotonic() - self._asked_s > LONGEST_WAIT_S:
            self.look()

    def _after(self) -> None:
        table = self._table
        noted, table.noted = table.noted, []
        for _, after in self._around_each_pass:
            after(noted)

    def _read_pressing(self) -> None:
        self._pressed = 1
        self._call_back(self._table.pressing)

    def _call_back(self, epoll: Any) -> int:
        """Call back for all at once, so that what is not among it was not readable by now."""
        readers, items = self._table.readers, self._table.items
        readable = epoll.poll(0, len(readers))
        noted = [items[fd] for fd, _ in readable if fd in items]
        if len(noted) < len(readable):
            for fd in [fd for fd, _ in readable if fd not in items]:
                callback = readers.get(fd)
                if callback is not None:  # none that ran before stopped it
                    try:
                        callback()
                    except Exception:
                        self._hub.handle_error(callback, *sys.exc_info())
        self._table.noted += noted
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

    # The hub's own

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.io(fd, _WRITE), callback)

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.timer(max(0.0, delay_s)), callback)

    def every(self, interval_s: float, callback: Callback) -> Watch:
        """Call ``callback`` at the multiples of an interval, so that those of like intervals wake the process once.

        It does not keep the loop alive.
        """
        first_s = interval_s - self._loop.now() % interval_s
        return self._started(self._loop.timer(first_s, repeat=interval_s, ref=False), callback)

    @staticmethod
    def _started(watcher: Any, callback: Callback) -> Watch:
        watcher.start(callback)
        return _HubWatch(watcher)


class _Table:
    """What is watched for reading."""

    __slots__ = ("_brief", "_order", "_young", "all", "items", "noted", "pressing", "readers", "wait_s")

    def __init__(self) -> None:
        epoll = monkey.get_original("select", "epoll")
        #: All that is watched: what may wait, and the epoll with what may not.
        self.all, self.pressing = epoll(), epoll()
        self.all.register(self.pressing.fileno(), _EPOLLIN)
        #: By file descriptor: whom to call, or else what to note.
        self.readers: dict[int, Callback] = {}
        self.items: dict[int, object] = {}
        self.noted: list[object] = []
        #: For how long what may wait does so. What bears less is read at once.
        self.wait_s = LONGEST_WAIT_S
        #: What does not bear the longest wait, by the one that it bears.
        self._brief: dict[float, set[_EpollReading]] = {wait_s: set() for wait_s in sorted(WAITS_S[1:])}
        self._young: list[tuple[float, int, _EpollReading]] = []
        self._order = itertools.count()

    def rebook(self, reading: "_EpollReading", before_s: float, now_s: float) -> None:
        """``reading`` bore one wait, and bears another now; 0 is none."""
        if before_s not in self._brief and now_s not in self._brief:
            return
        if before_s in self._brief:
            self._brief[before_s].remove(reading)
        if now_s in self._brief:
            self._brief[now_s].add(reading)
        was_s, self.wait_s = self.wait_s, self._bearable_s()
        if was_s != self.wait_s:
            for wait_s, readings in self._brief.items():
                if wait_s < max(was_s, self.wait_s):  # of these there are only a few
                    for each in readings:
                        each.move()

    def _bearable_s(self) -> float:
        """The longest wait that all but a few bear."""
        count = 0
        for wait_s, readings in self._brief.items():
            count += len(readings)
            if count >= FEW:
                return wait_s
        return LONGEST_WAIT_S

    def let_age(self, reading: "_EpollReading", for_s: float) -> None:
        """Tell ``reading`` when this has passed."""
        heapq.heappush(self._young, (time.monotonic() + for_s, next(self._order), reading))

    def age(self) -> None:
        """Time has passed."""
        young, now_s = self._young, time.monotonic()
        while young and young[0][0] <= now_s:
            heapq.heappop(young)[2].grow_old()


class _EpollReading:
    """A file descriptor in one of the two epolls."""

    __slots__ = ("_bears_s", "_fd", "_hurried", "_longest_s", "_may_wait", "_old", "_table", "_waits")

    def __init__(self, table: _Table, fd: int, callback: Callback) -> None:
        self._table, self._fd = table, fd
        self._may_wait = self._old = self._hurried = self._waits = False
        #: The wait that it bears where it may wait, and the one that it bears now.
        self._longest_s, self._bears_s = LONGEST_WAIT_S, 0.0
        table.readers[fd] = callback
        table.pressing.register(fd, _EPOLLIN)
        table.let_age(self, OLD_S)

    def call(self, callback: Callback) -> None:
        if self._fd >= 0:
            self._table.items.pop(self._fd, None)
            self._table.readers[self._fd] = callback

    def note(self, item: object) -> None:
        if self._fd >= 0:
            self._table.items[self._fd] = item

    def may_wait(self, yes: bool) -> None:
        self._may_wait = yes
        self._reconsider()

    def wait_at_most(self, wait_s: float) -> None:
        self._longest_s = wait_s
        self._reconsider()

    def hurry(self) -> None:
        if self._old:
            self._old = False
            self._reconsider()
            self._table.let_age(self, HURRY_S)
        else:
            self._hurried = True

    def grow_old(self) -> None:
        if self._fd >= 0 and self._hurried:
            self._hurried = False
            self._table.let_age(self, HURRY_S)
        else:
            self._old = True
            self._reconsider()

    def _reconsider(self) -> None:
        bears_s = self._longest_s if self._may_wait and self._old and self._fd >= 0 else 0.0
        if bears_s != self._bears_s:
            before_s, self._bears_s = self._bears_s, bears_s
            self._table.rebook(self, before_s, bears_s)
            self.move()

    def move(self) -> None:
        """Into the epoll in which it belongs now."""
        waits = self._bears_s >= self._table.wait_s
        if waits != self._waits and self._fd >= 0:
            self._epoll().unregister(self._fd)
            self._waits = waits
            self._epoll().register(self._fd, _EPOLLIN)

    def _epoll(self) -> Any:
        return self._table.all if self._waits else self._table.pressing

    def stop(self) -> None:
        if self._fd >= 0:
            del self._table.readers[self._fd]
            self._table.items.pop(self._fd, None)
            self._epoll().unregister(self._fd)
            self._fd = -1
            self._reconsider()


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
