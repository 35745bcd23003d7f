"""Lets a greenlet wait for what a callback of the event loop says. gevent's ``Event`` does that for many greenlets."""

import gevent
from gevent.hub import Waiter


class Pause:
    """One greenlet's pause, which may be ended before it begins."""

    __slots__ = ("_loop", "_over", "_waiter")

    def __init__(self) -> None:
        self._loop = gevent.get_hub().loop
        self._over = False
        #: Of the greenlet that waits now, and is not yet to go on.
        self._waiter: Waiter[None] | None = None

    def wait(self) -> None:
        """Wait for :meth:`end`; the next call waits for the next one."""
        if not self._over:
            self._waiter = Waiter()
            try:
                self._waiter.get()
            finally:
                self._waiter = None
        self._over = False

    def end(self) -> None:
        """Let the greenlet go on, once the event loop has done what is due."""
        if not self._over:
            self._over = True
            if self._waiter is not None:
                self._loop.run_callback(self._waiter.switch, None)
