"""A run in one process: it drives the streams and reports them."""

from typing import Any

import gevent
from locust.env import Environment

from streamgauge.load.gauge import SLICE_S, Gauge
from streamgauge.load.reporting import ReportingRun

PROCESS = "local"


class LocalRun(ReportingRun):
    """Moves the gauge's slices into the book, second by second."""

    def __init__(self, environment: Environment, gauge: Gauge) -> None:
        super().__init__(environment)
        self._gauge = gauge

    def on_test_start(self, **_: Any) -> None:
        """Begin to measure."""
        super().on_test_start()
        self._gauge.begin()
        gevent.spawn(self._collect)

    def _collect(self) -> None:
        book = self.book
        while book is not None and book is self.book:
            book.add(PROCESS, self._gauge.take())
            gevent.sleep(SLICE_S)

    def on_reset(self, **_: Any) -> None:
        """Forget what was counted, here and in the book."""
        self._gauge.reset()
        super().on_reset()

    def on_test_stop(self, **_: Any) -> None:
        """Take the last slice, and close the book."""
        self._gauge.end()
        if self.book is not None:
            self.book.add(PROCESS, self._gauge.take())
        super().on_test_stop()
