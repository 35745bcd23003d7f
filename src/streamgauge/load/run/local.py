"""A run in one process, which both drives the streams and reports them."""

from collections.abc import Collection
from typing import Any

import gevent
from locust.env import Environment

from streamgauge.load.metrics.exporter import Exporter
from streamgauge.load.process_meter import SECOND_S, ProcessMeter
from streamgauge.load.run.dispatch import joining
from streamgauge.load.run.leaving_users import let_users_leave
from streamgauge.load.run.reporting import ReportingRun
from streamgauge.load.run.starting_users import StartingUsers

PROCESS = "local"


class LocalRun(ReportingRun):
    """Moves each second that the process meter has counted into the report."""

    def __init__(self, environment: Environment, meter: ProcessMeter, exporter: Exporter | None = None) -> None:
        super().__init__(environment, exporter)
        self._meter = meter

    def listen(self) -> None:
        """Add the listeners."""
        super().listen()
        if self.environment.runner is not None:
            let_users_leave(self.environment.runner)
            starting = StartingUsers(self.environment.runner, joined=False)
            self.environment.dispatcher_class = joining(self.environment.dispatcher_class, starting.join)

    def processes(self) -> Collection[str]:
        """Return the name of this process."""
        return (PROCESS,)

    def served(self) -> bool:
        """Whether this process has served the last arrival."""
        return self._meter.served

    def on_test_start(self, **_: Any) -> None:
        """Start measuring."""
        super().on_test_start()
        self._meter.begin()
        if self.open_model is not None:
            part, _new = self.open_model.divide((PROCESS,))[PROCESS]
            self._meter.hand_over.begin(self.open_model.schedule, self.open_model.start_s, [part])
        gevent.spawn(self._collect)

    def _collect(self) -> None:
        run_report = self.run_report
        while run_report is not None and run_report is self.run_report:
            self.count(PROCESS, self._meter.take())
            gevent.sleep(SECOND_S)

    def on_test_stopping(self, **_: Any) -> None:
        """Start no further arrivals, and leave what Locust does to stop its users out of the measurement."""
        super().on_test_stopping()
        self._meter.hand_over.end()
        self._meter.leave_out_stop()

    def on_reset(self, **_: Any) -> None:
        """Reset the counts here and in the report."""
        if self._meter.running:
            self._meter.cut()
        self.export(PROCESS, self._meter.take())
        self._meter.reset()
        super().on_reset()

    def on_test_stop(self, **_: Any) -> None:
        """Count the last second, and close the report."""
        self._meter.end()
        self.count(PROCESS, self._meter.take())
        super().on_test_stop()
