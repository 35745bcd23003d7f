"""A run in one process: it drives the streams and reports them."""

from collections.abc import Collection
from typing import Any

import gevent
from locust.env import Environment

from streamgauge.load.exporter import Exporter
from streamgauge.load.gauge import SLICE_S, Gauge
from streamgauge.load.reporting import ReportingRun

PROCESS = "local"


class LocalRun(ReportingRun):
    """Moves the gauge's slices into the book, second by second."""

    def __init__(self, environment: Environment, gauge: Gauge, exporter: Exporter | None = None) -> None:
        super().__init__(environment, exporter)
        self._gauge = gauge

    def processes(self) -> Collection[str]:
        """This one."""
        return (PROCESS,)

    def on_test_start(self, **_: Any) -> None:
        """Begin to measure."""
        super().on_test_start()
        self._gauge.begin()
        gevent.spawn(self._collect)

    def _collect(self) -> None:
        book = self.book
        while book is not None and book is self.book:
            self.count(PROCESS, self._gauge.take())
            gevent.sleep(SLICE_S)

    def on_reset(self, **_: Any) -> None:
        """Forget what was counted, here and in the book."""
        if self._gauge.running:
            self._gauge.cut()
        self.export(PROCESS, self._gauge.take())
        self._gauge.reset()
        super().on_reset()

    def on_test_stop(self, **_: Any) -> None:
        """Take the last slice, and close the book."""
        self._gauge.end()
        self.count(PROCESS, self._gauge.take())
        super().on_test_stop()
