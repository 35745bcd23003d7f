"""gevent's hub as a ``Reactor``: libev watchers whose callbacks run in the hub, with no greenlet switch per chunk."""

from collections.abc import Callable
from typing import Any

import gevent

from streamgauge.client.reactor import Callback, Watch

_READ, _WRITE = 1, 2


class HubReactor:
    """A ``Reactor`` on the hub of the thread that makes it."""

    def __init__(self) -> None:
        self._loop = gevent.get_hub().loop
        self._before_polls: list[Any] = []
        #: libev's time of the pass: the same until it polls again.
        self.tick: Callable[[], object] = self._loop.now

    def on_readable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return self._started(self._loop.io(fd, _READ), callback)

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
        """See ``Reactor``."""
        watcher = self._loop.prepare(ref=False)
        watcher.start(callback)
        self._before_polls.append(watcher)

    @staticmethod
    def _started(watcher: Any, callback: Callback) -> Watch:
        watcher.start(callback)
        return _HubWatch(watcher)


class _HubWatch:
    """A libev watcher that is freed when it stops."""

    __slots__ = ("_watcher",)

    def __init__(self, watcher: Any) -> None:
        self._watcher = watcher

    def call(self, callback: Callback) -> None:
        if self._watcher is not None:
            self._watcher.callback = callback

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
