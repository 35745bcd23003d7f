"""gevent's hub as a ``Reactor``: callbacks run in the hub, with no greenlet switch per chunk.

What is to be read waits in an epoll of our own, which is one file descriptor to libev. A pass asks it once for all that
is readable, where libev would come back to Python, by way of a watcher of its own, for each.

Being woken costs a process more than reading a chunk does. So, while chunks come fast, what may wait is left unread for
five milliseconds, and then read together: the kernel has its moment. What may not wait is in an epoll inside the first,
and so is all that has been watched for a short while only: whoever starts a stream when one has ended would start late.
"""

import sys
from collections import deque
from typing import Any

import gevent
from gevent import monkey

from streamgauge.client.reactor import AfterPass, Callback, Reading, Watch

_READ, _WRITE = 1, 2
_EPOLLIN = 1
#: How long chunks are left unread, once they come faster than that.
GATHER_S = 0.005
#: A read that showed less for having waited is made up for by this many that did not, before anything waits again.
READS_PER_BLUR = 2_000
#: What has been watched for less does not wait: at the end of a stream this old the wait is no more than 1 % of it.
OLD_S = 0.5


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._readers: dict[int, Callback] = {}
        self._items: dict[int, object] = {}
        self._noted: list[object] = []
        self._around_each_pass: list[tuple[Callback, AfterPass]] = []
        epoll = monkey.get_original("select", "epoll")
        self._all, self._pressing = epoll(), epoll()
        self._all.register(self._pressing.fileno(), _EPOLLIN)
        self._readers[self._pressing.fileno()] = self._read_pressing
        self._young: deque[_EpollReading] = deque()
        self._any = self._loop.io(self._all.fileno(), _READ, ref=False)
        self._meanwhile = self._loop.io(self._pressing.fileno(), _READ, ref=False)
        self._gathered: Watch | None = None
        self._looked_s = 0.0
        self._credit = self._pressed = 0
        self._any.start(self._on_any)

    # When to look

    @property
    def gathering(self) -> bool:
        """Whether what may wait is waiting."""
        return self._gathered is not None

    def _on_any(self) -> None:
        looked_s, self._looked_s = self._looked_s, self._loop.now()
        waited = self.look()
        if waited and self._looked_s - looked_s < GATHER_S and self._credit >= 0:
            self._any.stop()
            self._meanwhile.start(self._on_pressing)
            self._gathered = self.every(GATHER_S, self._on_gathered)

    def _on_gathered(self) -> None:
        if not self.look() or self._credit < 0:
            self._looked_s = self._loop.now()
            assert self._gathered is not None
            self._gathered.stop()
            self._gathered = None
            self._meanwhile.stop()
            self._any.start(self._on_any)

    def _on_pressing(self) -> None:
        self._read_pressing()
        self._after()

    def hurry(self) -> None:
        """See ``Reactor``."""
        if self.gathering:
            self._credit -= READS_PER_BLUR

    # Looking

    def look(self) -> int:
        """One pass: call back for all that is readable now, and return how much there was that may wait."""
        self._pressed = 0
        self._age()
        for before, _ in self._around_each_pass:
            before()
        waited = self._call_back(self._all) - self._pressed
        if self._credit < 0:
            self._credit += waited
        self._after()
        return waited

    def _age(self) -> None:
        young, old_s = self._young, self._loop.now() - OLD_S
        while young and young[0].since_s <= old_s:
            young.popleft().grow_old()

    def _after(self) -> None:
        noted, self._noted = self._noted, []
        for _, after in self._around_each_pass:
            after(noted)

    def _read_pressing(self) -> None:
        self._pressed = 1
        self._call_back(self._pressing)

    def _call_back(self, epoll: Any) -> int:
        """Call back for all at once, so that what is not among it was not readable by now."""
        readers, items = self._readers, self._items
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
        self._noted += noted
        return len(readable)

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """See ``Reactor``."""
        self._readers[fd] = callback
        reading = _EpollReading(self._readers, self._items, self._all, self._pressing, fd, self._loop.now())
        self._young.append(reading)
        return reading

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """See ``Reactor``."""
        self._around_each_pass.append((before, after))

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


class _EpollReading:
    """A file descriptor in one of the two epolls, watched since ``since_s`` (libev's time)."""

    __slots__ = ("_epoll", "_fd", "_items", "_may_wait", "_old", "_other", "_readers", "_waits", "since_s")

    def __init__(
        self,
        readers: dict[int, Callback],
        items: dict[int, object],
        waiting: Any,
        pressing: Any,
        fd: int,
        since_s: float,
    ) -> None:
        self._readers, self._items, self._fd, self.since_s = readers, items, fd, since_s
        self._epoll, self._other = pressing, waiting
        self._may_wait = self._old = self._waits = False
        pressing.register(fd, _EPOLLIN)

    def call(self, callback: Callback) -> None:
        if self._fd >= 0:
            self._items.pop(self._fd, None)
            self._readers[self._fd] = callback

    def note(self, item: object) -> None:
        if self._fd >= 0:
            self._items[self._fd] = item

    def may_wait(self, yes: bool) -> None:
        self._may_wait = yes
        self._move()

    def grow_old(self) -> None:
        self._old = True
        self._move()

    def _move(self) -> None:
        waits = self._may_wait and self._old
        if waits != self._waits and self._fd >= 0:
            self._waits = waits
            self._epoll.unregister(self._fd)
            self._epoll, self._other = self._other, self._epoll
            self._epoll.register(self._fd, _EPOLLIN)

    def stop(self) -> None:
        if self._fd >= 0:
            del self._readers[self._fd]
            self._items.pop(self._fd, None)
            self._epoll.unregister(self._fd)
            self._fd = -1


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
