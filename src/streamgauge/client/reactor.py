"""What an exchange needs of an event loop, and a plain one on ``selectors`` for use without any framework."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

#: What may wait is left unread for no longer than the first of these, and what has shown that it bears less for no
#: longer than another.
WAITS_S = (0.010, 0.005, 0.002, 0.001)
LONGEST_WAIT_S = WAITS_S[0]

Callback = Callable[[], None]
AfterPass = Callable[[list[Any]], None]


class Watch(Protocol):
    """A callback that waits for something."""

    def stop(self) -> None:
        """Do not call any more. May be called twice."""


class Reading(Watch, Protocol):
    """One that waits for what can be read."""

    def call(self, callback: Callback) -> None:
        """Call this from now on."""

    def note(self, item: object) -> None:
        """From now on call nothing, but give ``item`` to what is called after the pass."""

    def may_wait(self, yes: bool) -> None:
        """Whether what comes may be left unread for a moment, until more is readable elsewhere."""

    def wait_at_most(self, wait_s: float) -> None:
        """What comes may wait for this long, one of ``WAITS_S``, from now on."""

    def hurry(self) -> None:
        """It came so that it should not have waited: for some time nothing of it will."""


class Reactor(Protocol):
    """Calls back when a file descriptor is ready, level-triggered, or a time has passed."""

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """Call ``callback`` in each pass in which ``fd`` is readable."""

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """Call ``callback`` in each pass in which ``fd`` is writable."""

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """Call ``callback`` once."""

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """Call ``before`` when the loop is about to ask what is readable, and ``after`` with the items noted in it."""

    def around_each_part(self, before: Callback, after: Callback) -> None:
        """Call these where it asks for what may not wait only; ``after`` comes behind that of ``around_each_pass``."""

    def look_in_time(self) -> None:
        """For one of many whose turns come one after the other: call back for what is readable, if nobody has asked
        for long.
        """


class SelectorReactor:
    """A ``Reactor`` on ``selectors``. ``run_until`` turns it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._around_each_pass: list[tuple[Callback, AfterPass]] = []
        self._noted: list[object] = []

    def on_readable(self, fd: int, callback: Callback) -> Reading:
        """See ``Reactor``."""
        return _FdWatch(self._selector, fd, selectors.EVENT_READ, callback, self._noted)

    def on_writable(self, fd: int, callback: Callback) -> Watch:
        """See ``Reactor``."""
        return _FdWatch(self._selector, fd, selectors.EVENT_WRITE, callback, self._noted)

    def after(self, delay_s: float, callback: Callback) -> Watch:
        """See ``Reactor``."""
        timer = _Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), timer))
        return timer

    def around_each_pass(self, before: Callback, after: AfterPass) -> None:
        """See ``Reactor``."""
        self._around_each_pass.append((before, after))

    def around_each_part(self, before: Callback, after: Callback) -> None:
        """Each pass is a whole one."""

    def look_in_time(self) -> None:
        """All is called back by turns."""

    def run_until(self, done: Callable[[], bool]) -> None:
        """Turn until ``done()``."""
        while not done():
            self._selector.select(self._patience_s())
            for before, _ in self._around_each_pass:
                before()
            for key, events in self._selector.select(0):
                callbacks: dict[int, Callback] = key.data
                for event in (selectors.EVENT_WRITE, selectors.EVENT_READ):
                    if events & event and event in callbacks:
                        callbacks[event]()
            self._run_timers()
            noted = self._noted[:]
            self._noted.clear()
            for _, after in self._around_each_pass:
                after(noted)

    def _patience_s(self) -> float | None:
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
        self.callback: Callback | None = callback

    def stop(self) -> None:
        self.callback = None


class _FdWatch:
    """One of the two directions in which a file descriptor is watched."""

    def __init__(
        self, selector: selectors.BaseSelector, fd: int, event: int, callback: Callback, noted: list[object]
    ) -> None:
        self._selector, self._fd, self._event, self._noted = selector, fd, event, noted
        self._stopped = False
        callbacks = self._callbacks()
        self._change({**callbacks, event: callback}, known=bool(callbacks))

    def call(self, callback: Callback) -> None:
        if not self._stopped:
            self._callbacks()[self._event] = callback

    def note(self, item: object) -> None:
        self.call(partial(self._noted.append, item))

    def may_wait(self, yes: bool) -> None:
        """Nothing waits here."""

    def wait_at_most(self, wait_s: float) -> None:
        """Nothing waits here."""

    def hurry(self) -> None:
        """Nothing waits here."""

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
