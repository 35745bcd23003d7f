"""The drain: what happens from SIGTERM or Ctrl-C until the server may shut down, whichever server runs the app.

A server's own shutdown first closes its port. So the drain comes before: the signal makes the app refuse new streams
and ask running ones to end, and the server learns of it when they have ended, or the grace time is over, and the port
has been open for the minimum time.
"""

import asyncio
import math
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from target_app.guard.admission import AdmissionControl
from target_app.settings import Settings
from target_app.shutdown import Shutdown

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: How often the drain checks whether it is over.
_CHECK_S = 0.1


class Drain:
    """The drain of one process. ``lifeline``, if not negative, is the reading end of a pipe that a supervisor holds.

    When the supervisor dies, the pipe ends, and the drain begins as at a signal. Under a supervisor only SIGTERM
    counts, and only once: a signal to the whole process group, such as Ctrl-C in a terminal or systemd's SIGTERM, also
    comes again from the supervisor.
    """

    def __init__(
        self, settings: Settings, admission: AdmissionControl, shutdown: Shutdown, *, lifeline: int = -1
    ) -> None:
        self._grace_s = settings.grace_s
        self._least_s = settings.min_drain_s
        self._admission = admission
        self._shutdown = shutdown
        self._lifeline = lifeline
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers_handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        #: When the port may close, and when streams are cut. 0 after a second signal, which may come before the drain.
        self._open_until_s = 0.0
        self._cut_at_s = math.inf

    def follow(self) -> None:
        """Take the signals over from the server on whose event loop this runs. Does nothing the second time.

        A server that handles no signals in this thread is left alone: it shuts down as it likes.
        """
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            self._loop.add_reader(self._lifeline, self._begin, signal.SIGTERM)
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and handler is not signal.default_int_handler:
                try:
                    signal.signal(number, self.on_signal)
                except ValueError:  # not the main thread
                    return
                self._servers_handlers[number] = handler

    def on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin the drain at the first signal, end it at the second."""
        supervised = self._lifeline >= 0
        if supervised and (number == signal.SIGINT or self._admission.draining):
            return
        assert self._loop is not None
        if not self._admission.draining:
            self._admission.draining = True
            self._loop.call_soon_threadsafe(self._begin, number)
        else:
            self._cut_at_s = self._open_until_s = 0.0

    def _begin(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        if self._lifeline >= 0:
            loop.remove_reader(self._lifeline)
        self._admission.draining = True
        now_s = loop.time()
        if self._cut_at_s:
            self._cut_at_s = now_s + self._grace_s
            # Nobody waits for a load balancer at Ctrl-C.
            self._open_until_s = now_s + self._least_s if number == signal.SIGTERM else now_s
        self._shutdown.request("shutdown")
        self._check(number)

    def _check(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        late = now_s >= self._cut_at_s
        if late:
            self._admission.abort_all("shutdown")
        if now_s >= self._open_until_s and (late or not self._admission.running):
            self._let_the_server_shut_down(number)
        else:
            loop.call_later(_CHECK_S, self._check, number)

    def _let_the_server_shut_down(self, number: int) -> None:
        for each, handler in self._servers_handlers.items():
            if signal.getsignal(each) == self.on_signal:
                signal.signal(each, handler)
        shut_down = self._servers_handlers.get(number)
        if shut_down is not None:
            shut_down(number, None)
