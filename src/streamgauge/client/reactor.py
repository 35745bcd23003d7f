"""What an exchange needs of an event loop, and a plain loop on ``selectors`` for use without any framework."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

#: For how long data may stay unread, longest first. ``client.read.read_schedule`` chooses one for each stream.
WAITS_S = (0.010, 0.005, 0.002, 0.001)
LONGEST_WAIT_S = WAITS_S[0]

Callback = Callable[[], None]
AfterPass = Callable[[list[Any]], None]


class Watch(Protocol):
    """A callback that waits for something."""

    def stop(self) -> None:
        """Do not call it any more. May be called twice."""


class Reading(Watch, Protocol):
    """A watch that calls back when a file descriptor is readable."""

    def call(self, callback: Callback) -> None:
        """Call ``callback`` from now on."""

    def collect(self, item: object) -> None:
        """Call nothing from now on; collect ``item`` for the call that follows each pass."""

    def may_wait(self, wait_s: float) -> None:
        """Allow data to stay unread for ``wait_s``, one of ``WAITS_S``. 0, as at the start: read it at once."""

    def read_at_once_for(self, for_s: float) -> None:
        """Read data at once for this long from now on, whatever ``may_wait`` allows."""


class Reactor(Protocol):
    """Calls back when a file descriptor is ready, level-triggered, or when a time has passed."""

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """Call ``callback`` in each pass in which ``fd`` is readable."""

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """Call ``callback`` in each pass in which ``fd`` is writable."""

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """Call ``callback`` once."""

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """Call ``before`` right before the loop polls, and ``after`` with the items that the pass collected."""

    def around_each_part(self, before: Callback, after: Callback) -> None:
        """Call these around a poll for only those descriptors that may not wait.

        ``after`` is called later than that of ``around_each_pass``.
        """

    def poll_if_overdue(self) -> None:
        """Poll now if the loop has not polled for long. One of many tasks that run in a row calls this."""


class SelectorReactor:
    """A ``Reactor`` on ``selectors``. ``run_until`` runs it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._around_each_pass: list[tuple[Callback, AfterPass]] = []
        self._collected: list[object] = []

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """See ``Reactor``."""
        return _FdWatch(self._selector, fd, selectors.EVENT_READ, callback, self._collected)

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return _FdWatch(self._selector, fd, selectors.EVENT_WRITE, callback, self._collected)

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """See ``Reactor``."""
        timer = _Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), timer))
        return timer

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """See ``Reactor``."""
        self._around_each_pass.append((before, after))

    def around_each_part(self, before: Callback, after: Callback) -> None:
        """Do nothing: every pass polls all descriptors."""

    def poll_if_overdue(self) -> None:
        """Do nothing: no tasks run beside the loop."""

    def run_until(self, done: Callable[[], bool]) -> None:
        """Run passes until ``done()``."""
        while not done():
            self._selector.select(self._timeout_s())
            for before, _ in self._around_each_pass:
                before()
            for key, events in self._selector.select(0):
                callbacks: dict[int, Callback] = key.data
                for event in (selectors.EVENT_WRITE, selectors.EVENT_READ):
                    if events & event and event in callbacks:
                        callbacks[event]()
            self._run_timers()
            collected = self._collected[:]
            self._collected.clear()
            for _, after in self._around_each_pass:
                after(collected)

    def _timeout_s(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()

    def close(self) -> None:
        """Free the selector."""
        self._selector.close()


class _Timer:
    def __init__(self, callback: Callback) -> None:
        #: None once the timer was stopped.
        self.callback: Callback | None = callback

    def stop(self) -> None:
        self.callback = None


class _FdWatch:
    """One of the two directions in which a file descriptor is watched."""

    def __init__(
        self, selector: selectors.BaseSelector, fd: int, event: int, callback: Callback, collected: list[object]
    ) -> None:
        self._selector, self._fd, self._event, self._collected = selector, fd, event, collected
        self._stopped = False
        callbacks = self._callbacks()
        self._change({**callbacks, event: callback}, known=bool(callbacks))

    def call(self, callback: Callback) -> None:
        if not self._stopped:
            self._callbacks()[self._event] = callback

    def collect(self, item: object) -> None:
        self.call(partial(self._collected.append, item))

    def may_wait(self, wait_s: float) -> None:
        """Do nothing: this loop reads everything at once."""

    def read_at_once_for(self, for_s: float) -> None:
        """Do nothing: this loop reads everything at once."""

    def _callbacks(self) -> dict[int, Callback]:
        try:
            callbacks: dict[int, Callback] = self._selector.get_key(self._fd).data
        except KeyError:
            return {}
        return callbacks

    def _change(self, callbacks: dict[int, Callback], *, known: bool) -> None:
        events = sum(callbacks)
        if not events:
            self._selector.unregister(self._fd)
        elif known:
            self._selector.modify(self._fd, events, callbacks)
        else:
            self._selector.register(self._fd, events, callbacks)

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        callbacks = self._callbacks()
        if self._event in callbacks:
            self._change({k: v for k, v in callbacks.items() if k != self._event}, known=True)
