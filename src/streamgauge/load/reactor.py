"""gevent's hub as a ``Reactor``: callbacks run in the hub, with no greenlet switch per chunk.

What is to be read waits in an epoll of our own, which is one file descriptor to libev. A pass asks it once for all that
is readable, where libev would come back to Python, by way of a watcher of its own, for each.
"""

import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

from streamgauge.client.reactor import Callback, Reading, Watch

_READ, _WRITE = 1, 2
_EPOLLIN = 1


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        #: libev's time of the pass: the same until it polls again.
        self.tick: Callable[[], object] = self._loop.now
        self._readers: dict[int, Callback] = {}
        self._after_each_pass: list[Callback] = []
        self._epoll = monkey.get_original("select", "epoll")()
        self._watcher = self._loop.io(self._epoll.fileno(), _READ, ref=False)
        self._watcher.start(self._pass)

    def _pass(self) -> None:
        """Call back for all that is readable: all at once, so that what is not among it was not readable by now."""
        readers = self._readers
        for fd, _ in self._epoll.poll(0, len(readers) + 1):
            callback = readers.get(fd)
            if callback is not None:  # none that ran before stopped it
                try:
                    callback()
                except Exception:
                    self._hub.handle_error(callback, *sys.exc_info())
        for callback in self._after_each_pass:
            callback()

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """See ``Reactor``."""
        self._readers[fd] = callback
        self._epoll.register(fd, _EPOLLIN)
        return _EpollReading(self._readers, self._epoll, fd)

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.io(fd, _WRITE), callback)

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.timer(max(0.0, delay_s)), callback)

    def every(self, interval_s: float, callback: Callback) -> Watch:
        """Call ``callback`` again and again; it does not keep the loop alive."""
        return self._started(self._loop.timer(interval_s, repeat=interval_s, ref=False), callback)

    def after_each_pass(self, callback: Callback) -> None:
        """See ``Reactor``: each pass that found something readable."""
        self._after_each_pass.append(callback)

    @staticmethod
    def _started(watcher: Any, callback: Callback) -> Watch:
        watcher.start(callback)
        return _HubWatch(watcher)


class _EpollReading:
    """A file descriptor in the epoll."""

    __slots__ = ("_epoll", "_fd", "_readers")

    def __init__(self, readers: dict[int, Callback], epoll: Any, fd: int) -> None:
        self._readers, self._epoll, self._fd = readers, epoll, fd

    def call(self, callback: Callback) -> None:
        if self._fd >= 0:
            self._readers[self._fd] = callback

    def stop(self) -> None:
        if self._fd >= 0:
            del self._readers[self._fd]
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
