"""What the process that reports a run does at its start, at a reset and at its end, alone or as a master."""

import logging
import time
from collections.abc import Collection
from typing import Any

import gevent
from locust.env import Environment

from streamgauge.load.arrivals.arrival_options import is_open
from streamgauge.load.metrics.exporter import Exporter
from streamgauge.load.run.dispatch import evenly
from streamgauge.load.run.leaving_users import end_users
from streamgauge.load.run.live_view import live_view
from streamgauge.load.run.open_model import END_LOOK_S, OpenModel, limit_streams
from streamgauge.load.run.run_end import end_of_run, show
from streamgauge.load.run.run_report import RunReport
from streamgauge.load.run.worker_turns import class_by_class
from streamgauge.load.usage import refused
from streamgauge.load.users import stream_users
from streamgauge.report.result import Result
from streamgauge.stats.second_report import SecondReport
from streamgauge.verdict.exit_status import ExitStatus, RunStatus

logger = logging.getLogger(__name__)

#: Seconds beyond the stop timeout in which all processes must have reported their end; and the same after a cut.
GRACE_S, CUT_GRACE_S = 10.0, 3.0


class ReportingRun:
    """Keeps the report of the run under way, and closes it when the run has stopped."""

    distributed = False

    def __init__(self, environment: Environment, exporter: Exporter | None = None) -> None:
        self.environment = environment
        self.exporter = exporter
        self._view = live_view(environment)
        self.run_report: RunReport | None = None
        #: The schedule of the run under way, or of the last one; None in the closed model.
        self.open_model: OpenModel | None = None
        #: The report of the run under way, or of the last one.
        self.shown: RunReport | None = None
        self.result: Result | None = None
        #: The last report that was closed.
        self._closed: RunReport | None = None
        self._quitting = False

    def listen(self) -> None:
        """Add the listeners."""
        self.environment.dispatcher_class = evenly(
            class_by_class(self.environment.dispatcher_class, self._is_open), at_once=self._is_open
        )
        limit_streams(self.environment)
        events = self.environment.events
        events.test_start.add_listener(self.on_test_start)
        events.test_stop.add_listener(self.on_test_stop)
        events.test_stopping.add_listener(self.on_test_stopping)
        events.reset_stats.add_listener(self.on_reset)
        events.spawning_complete.add_listener(self.on_spawning_complete)
        events.quitting.add_listener(self.on_quitting)
        # Locust calls the listeners of this event in reverse order and then reads the exit status. Any other listener
        # may set it, so the one that joins it with the streams' has to be the last.
        events.quitting._handlers.insert(0, self.on_last_quitting)  # noqa: SLF001 - there is no public way
        events.quit.add_listener(self.on_quit)
        if self.exporter is not None:
            self.exporter.follow(self.users, self.processes)

    @property
    def headless(self) -> bool:
        """Whether Locust runs without its web UI."""
        return bool(getattr(self.environment.parsed_options, "headless", False))

    def users(self) -> int:
        """Return how many users run now."""
        return self.environment.runner.user_count if self.environment.runner is not None else 0

    def processes(self) -> Collection[str]:
        """Return the processes that can drive streams."""
        raise NotImplementedError

    def count(self, process: str, parts: list[SecondReport]) -> None:
        """Add what a process counted to the run under way."""
        if self.run_report is not None:
            self.run_report.add(process, parts)
            if self.open_model is not None:
                self.open_model.count(process, sum(part.scheduled_arrivals for part in parts))
            self.export(process, parts)

    def export(self, process: str, parts: list[SecondReport]) -> None:
        """Add to the client metrics alone, which a reset does not change."""
        if self.exporter is not None:
            self.exporter.add(process, parts)

    def on_test_start(self, **_: Any) -> None:
        """Open a new report."""
        self.result = None
        self.open_model = self._open_model()
        self.run_report = self.shown = RunReport(
            self.environment, distributed=self.distributed, open_model=self.open_model
        )
        if self.open_model is not None and (length_s := self.open_model.schedule.length_s) is not None:
            gevent.spawn(self._end_after, self.open_model, length_s)
        if self._view is not None:
            self._view.begin(self.run_report)
        if self.exporter is not None:
            self.exporter.begin(self.run_report)

    def _open_model(self) -> OpenModel | None:
        """Return the schedule of the run that starts; None for the closed model."""
        options, runner = self.environment.parsed_options, self.environment.runner
        if runner is None or not is_open(options) or not stream_users(self.environment):
            return None
        return OpenModel(self.environment, runner.target_user_count, distributed=self.distributed)

    def _is_open(self) -> bool:
        return is_open(self.environment.parsed_options)

    def _end_after(self, model: OpenModel, length_s: float) -> None:
        """End the run once the last arrival has been served, as Locust does when a shape of its own ends."""
        runner = self.environment.runner
        while runner is not None and model is self.open_model and self.run_report is not None:
            if model.now_s > length_s and self.served():
                logger.info("The last arrival has been served")
                (runner.quit if self.headless else runner.stop)()
                return
            gevent.sleep(END_LOOK_S)

    def served(self) -> bool:
        """Whether all processes have served the last arrivals of the schedule that they took."""
        raise NotImplementedError

    def on_reset(self, **_: Any) -> None:
        """Reset our counts along with Locust's statistics."""
        if self.open_model is not None:
            self.open_model.reset()
        if self.run_report is not None:
            self.run_report.reset()

    def on_spawning_complete(self, **_: Any) -> None:
        """Reset the counts after the ramp, where ``--reset-stats`` asks for it."""
        if self.environment.reset_stats:
            self.on_reset()

    def on_test_stopping(self, **_: Any) -> None:
        """Note when the users begin to stop. No arrival starts from now on."""
        if self.open_model is not None:
            self.open_model.stop()
        if self.run_report is not None:
            self.run_report.end_load()

    def on_test_stop(self, **_: Any) -> None:
        """Close the report. Locust may fire this event more than once for one run."""
        if self.run_report is None:
            return
        run_report, self.run_report = self.run_report, None
        if self._view is not None:
            self._view.end()
        options = self.environment.parsed_options
        shape = run_report.shape
        if shape is None:
            run_report.interrupted = self._quitting and bool(getattr(options, "run_time", None))
        else:  # Locust stops a headless run with a shape before it quits
            run_report.interrupted = self.headless and shape.cut_short
        self._closed, self.result = run_report, end_of_run(self.environment, run_report)
        if self.exporter is not None:
            self.exporter.end(self.result)
        if self.result is not None and not self.headless:
            show(self.environment, self.result)

    def on_quitting(self, **_: Any) -> None:
        """Let the streams under way end before the process ends."""
        self._quitting = True
        if self.run_report is None:
            return
        logger.info(
            "Waiting for the streams under way, up to %g s; Ctrl-C cuts them short", self.environment.stop_timeout
        )
        try:
            self._finish(self.environment.stop_timeout + GRACE_S)
        except KeyboardInterrupt:
            self.cut()
            self._finish(CUT_GRACE_S)

    def on_last_quitting(self, **_: Any) -> None:
        """Set the exit status of the process."""
        if refused(self.environment):
            self.environment.process_exit_code = RunStatus(self.environment.process_exit_code).joined(ExitStatus.USAGE)
        elif self._closed is not None and self.result is not None:
            self.environment.process_exit_code = self._closed.settle(self.result)

    def cut(self) -> None:
        """End the streams under way now; they count as censored."""
        if self.environment.runner is not None:
            end_users(self.environment.runner)

    def _finish(self, longest_s: float) -> None:
        """Stop the run, or wait for a stop that is already under way, until the report is closed."""
        if self.environment.runner is not None:
            self.environment.runner.stop()
        deadline_s = time.monotonic() + longest_s
        while self.run_report is not None and time.monotonic() < deadline_s:
            gevent.sleep(0.05)
        self.on_test_stop()

    def on_quit(self, **_: Any) -> None:
        """Print the table below Locust's own, and wait for the last scrape of the run."""
        if self.result is not None and self.headless:
            show(self.environment, self.result)
        if self.exporter is not None:
            self.exporter.linger()
