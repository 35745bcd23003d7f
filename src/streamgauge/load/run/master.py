"""A run as the master sees it: add up what the workers send; end the run once every worker has reported its end."""

import logging
import time
from collections.abc import Collection
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED, STATE_STOPPING, MasterRunner

from streamgauge.load.arrivals.hand_over import End
from streamgauge.load.metrics.exporter import Exporter
from streamgauge.load.run.dispatch import while_running
from streamgauge.load.run.open_model import ARRIVALS_MESSAGE, SERVED, OpenModel
from streamgauge.load.run.reporting import GRACE_S, ReportingRun
from streamgauge.load.run.worker import CUT, DRAIN, DRAINED, FORGOTTEN_KEY, PROBLEM_KEY, REPORT_KEY, RESET
from streamgauge.report.units import some
from streamgauge.stats.second_report import SecondReport

logger = logging.getLogger(__name__)

#: How often the master checks which workers share a schedule.
_FOLLOW_S = 0.5


class MasterRun(ReportingRun):
    """Drains the workers before Locust stops: Locust drops what workers finish after the end of a headless run."""

    distributed = True

    def __init__(self, environment: Environment, runner: MasterRunner, exporter: Exporter | None = None) -> None:
        super().__init__(environment, exporter)
        self._runner = runner
        self._expected: set[str] = set()
        self._drained: set[str] = set()
        #: The workers that have served the last of their arrivals.
        self._served: set[str] = set()
        self._stopping = False
        #: Seconds from the start of the run to the start of each worker that joined later.
        self._late_s: dict[str, int] = {}

    def listen(self) -> None:
        """Add the listeners."""
        super().listen()
        self.environment.dispatcher_class = while_running(self.environment.dispatcher_class, self._running)
        self.environment.events.worker_report.add_listener(self.on_worker_report)
        self._runner.register_message(DRAINED, self.on_drained)
        self._runner.register_message(ARRIVALS_MESSAGE, self.on_ask_for_arrivals)
        self._runner.register_message(SERVED, self.on_served)

    def processes(self) -> Collection[str]:
        """Return the workers whose heartbeats arrive."""
        return [each.id for each in self._runner.clients.all if each.state != STATE_MISSING]

    def _running(self) -> bool:
        return self._runner.state in (STATE_SPAWNING, STATE_RUNNING)

    def on_test_start(self, **_: Any) -> None:
        """Open a new report. No worker has reported its end yet."""
        self._expected = set(self.processes())
        self._drained.clear()
        self._served.clear()
        self._stopping = False
        self._late_s.clear()
        super().on_test_start()
        if self.open_model is not None:
            self._divide(self.open_model)
            gevent.spawn(self._follow_workers, self.open_model)

    def _divide(self, model: OpenModel) -> None:
        """Divide the schedule among the workers that are there now; tell them, and those that take part no longer."""
        for worker, (part, new) in model.divide(self._sharing()).items():
            data = model.message(worker) if new else {"part": list(part)}
            self._runner.send_message(ARRIVALS_MESSAGE, data, worker)

    def on_ask_for_arrivals(self, msg: Any, **_: Any) -> None:
        """Tell a worker the schedule that it missed because it was not ready."""
        if self.open_model is not None and self.open_model.shares_with(msg.node_id):
            self._runner.send_message(ARRIVALS_MESSAGE, self.open_model.message(msg.node_id), msg.node_id)

    def on_served(self, msg: Any, **_: Any) -> None:
        """Note that a worker has served the last of its arrivals."""
        self._served.add(msg.node_id)

    def served(self) -> bool:
        """Whether every worker that is there has served the last of its arrivals."""
        model = self.open_model
        sharing = {each for each in self.processes() if model is not None and model.shares_with(each)}
        return bool(sharing) and sharing <= self._served

    def _sharing(self) -> list[str]:
        """Return the workers that take part in the schedule: those that have users, or at the start will get some."""
        present = sorted(self.processes(), key=self._runner.get_worker_index)
        if self._runner.state == STATE_RUNNING:
            return [each for each in present if self._runner.clients[each].user_count] or present
        dispatcher = self._runner._users_dispatcher  # noqa: SLF001 - it gives each worker in turn a user
        nodes = [] if dispatcher is None else dispatcher._worker_nodes[: self._runner.target_user_count]  # noqa: SLF001
        first = {each.id for each in nodes}
        return [each for each in present if each in first] or present

    def _follow_workers(self, model: OpenModel) -> None:
        while model is self.open_model and not self._stopping:
            gevent.sleep(_FOLLOW_S)
            if self._runner.state == STATE_RUNNING and not self._stopping:
                self._divide(model)

    def on_worker_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        """Add what a worker counted."""
        sent = [data.pop(key, []) for key in (FORGOTTEN_KEY, REPORT_KEY)]
        unable = data.pop(PROBLEM_KEY, "")
        if self.run_report is None:
            return
        if unable:
            self._note(f"the users of worker {client_id} could not stream: {unable}")
        try:
            forgotten, second_reports = ([SecondReport.from_dict(part) for part in parts] for parts in sent)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            logger.error("Cannot read a report of worker %s: %r", client_id, error)
            self._note(f"reports of worker {client_id} could not be read: does it run the same version of streamgauge?")
            return
        self.export(client_id, forgotten)
        self._place(client_id, second_reports, self.run_report.began_s)
        self.count(client_id, second_reports)

    def _note(self, problem: str) -> None:
        """Log a problem of a worker, and make it a reason of the verdict; once."""
        if self.run_report is not None and problem not in self.run_report.run_stats.problems:
            logger.error("%s", problem)
            self.run_report.run_stats.problems.append(problem)

    def _place(self, worker: str, second_reports: list[SecondReport], began_s: float) -> None:
        """Shift the seconds of a worker that joined during the run to the run's own, to about a second."""
        if worker in self._expected or not second_reports:
            return
        if worker not in self._late_s:
            its_own_s = second_reports[-1].t_s + 1
            self._late_s[worker] = max(0, int(time.monotonic() - began_s - its_own_s))
        for part in second_reports:
            part.t_s += self._late_s[worker]

    def on_reset(self, **_: Any) -> None:
        """Reset the counts here and in the workers; only a worker knows whether a reset took a stream's first chunk."""
        super().on_reset()
        if self.run_report is not None:
            self._runner.send_message(RESET)

    def on_spawning_complete(self, **_: Any) -> None:
        """Restore the state of a run that was stopped during its ramp: Locust sets it to running when the ramp ends."""
        if self._stopping:
            self._runner.update_state(STATE_STOPPED if self.run_report is None else STATE_STOPPING)
        super().on_spawning_complete()

    def on_drained(self, msg: Any, **_: Any) -> None:
        """Note that a worker has reported its end."""
        self._drained.add(msg.node_id)
        if self.open_model is not None and (end := msg.data["end"]) is not None:
            self.open_model.note_end(msg.node_id, End(*end))

    def on_test_stopping(self, **_: Any) -> None:
        """Tell the workers to drain, and wait until each has reported its end or has disappeared."""
        run_report = self.run_report
        if run_report is None:
            return
        self._stopping = True
        super().on_test_stopping()
        # Locust sets this state later. Until then it would move the users of a worker that quits to other workers.
        self._runner.update_state(STATE_STOPPING)
        self._runner.send_message(DRAIN)
        deadline_s = time.monotonic() + self.environment.stop_timeout + GRACE_S
        while self._not_drained() and time.monotonic() < deadline_s:
            try:
                gevent.sleep(0.05)
            except KeyboardInterrupt:
                self.cut()
        lost = (self._expected | run_report.processes | set(self._not_drained())) - self._drained
        for worker in sorted(lost):
            logger.warning("Worker %s did not report the end of its streams", worker)
        self._count_lost_arrivals(lost)
        if lost:
            (run_report.run_stats.problems if self._drained else run_report.run_stats.failings).append(
                f"{some(len(lost), 'worker')} did not report the end of their streams: the workers died, or "
                f"had too little CPU time to report{'' if self._drained else '; no other worker was left'}"
            )

    @property
    def _last_s(self) -> int:
        return max(0, self.run_report.run_stats.last_s) if self.run_report is not None else 0

    def _count_lost_arrivals(self, unheard: set[str]) -> None:
        """Count the arrivals of workers that died or left as dropped."""
        model = self.open_model
        for worker, times in (model.lost(unheard) if model is not None else {}).items():
            part = SecondReport(self._last_s, 0, scheduled_arrivals=times, dropped_arrivals=times, lost_arrivals=times)
            self.count(worker, [part])

    def on_test_stop(self, **_: Any) -> None:
        """Close the report. End a headless run that has lost all its workers: Locust would wait for the run time."""
        super().on_test_stop()
        if self.headless and not self.processes():
            gevent.spawn(self._runner.quit)

    def cut(self) -> None:
        """Tell the workers to end the streams under way now."""
        self._runner.send_message(CUT)

    def _not_drained(self) -> list[str]:
        return [each for each in self.processes() if each not in self._drained]
