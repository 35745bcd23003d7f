"""A run as a worker sees it: drive streams, and send the counts along with Locust's own reports."""

import time
from functools import cache
from typing import Any

import gevent
from gevent.lock import RLock
from locust import argument_parser, log
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, WorkerRunner

from streamgauge.load.arrivals.schedule import Part, Schedule
from streamgauge.load.options import scenario_options
from streamgauge.load.own_options import check_own_options
from streamgauge.load.process_meter import ProcessMeter
from streamgauge.load.run.leaving_users import end_users, let_users_leave
from streamgauge.load.run.open_model import ARRIVALS_MESSAGE, END_LOOK_S, SERVED, start_of
from streamgauge.load.run.starting_users import StartingUsers
from streamgauge.stats.second_report import SecondReport

#: Our keys in a worker's report: the seconds of the run, and the seconds that a reset took out of it.
REPORT_KEY, FORGOTTEN_KEY = "streamgauge", "streamgauge_forgotten"
#: Why this worker's users cannot stream.
PROBLEM_KEY = "streamgauge_problem"
#: The messages that drain a run, confirm it, cut it short, and reset the counts.
DRAIN, DRAINED, CUT = "streamgauge_drain", "streamgauge_drained", "streamgauge_cut"
RESET = "streamgauge_reset"


class WorkerRun:
    """A worker's part in a run."""

    def __init__(self, environment: Environment, runner: WorkerRunner, meter: ProcessMeter) -> None:
        self._environment = environment
        self._runner = runner
        self._meter = meter
        self._stopping = RLock()
        self._forgotten: list[SecondReport] = []
        self._problem = ""
        self._looking: gevent.Greenlet | None = None

    def listen(self) -> None:
        """Add the listeners."""
        _remember_defaults()
        let_users_leave(self._runner)
        StartingUsers(self._runner, joined=True)
        events = self._environment.events
        events.test_start.add_listener(self.on_test_start)
        events.test_stopping.add_listener(self.on_test_stopping)
        events.test_stop.add_listener(self.on_test_stop)
        events.report_to_master.add_listener(self.on_report)
        events.quitting.add_listener(self.on_quitting)
        self._runner.register_message(DRAIN, self.on_drain, concurrent=True)
        self._runner.register_message(CUT, self.on_cut, concurrent=True)
        self._runner.register_message(RESET, self.on_reset)
        self._runner.register_message(ARRIVALS_MESSAGE, self.on_arrivals)
        self._meter.hand_over.ask = self._ask_for_arrivals
        if self._runner.worker_state in (STATE_SPAWNING, STATE_RUNNING):
            self._ask_for_arrivals()  # they may have come too early to be handled
            self._start(late=True)  # on a busy machine users can come before Locust has initialized this process

    def on_test_start(self, **_: Any) -> None:
        """Start measuring."""
        self._start(late=False)

    def _start(self, *, late: bool) -> None:
        """Start measuring. The master has checked the options, but a file that they name may be missing here."""
        try:
            scenario_options(self._environment.parsed_options)
            check_own_options(self._environment, self._environment.parsed_options)
            self._problem = ""
        except ValueError as error:
            self._problem = str(error)
        self._forgotten.clear()
        self._meter.begin(late=late)

    def _ask_for_arrivals(self) -> None:
        self._runner.send_message(ARRIVALS_MESSAGE)

    def on_arrivals(self, msg: Any, **_: Any) -> None:
        """Begin the schedule of the run, or take another part of it."""
        received_s, data = time.monotonic(), msg.data
        if "schedule" in data:
            parts = [Part(*each) for each in data["parts"]]
            clock = data["clock"]  # when the run's schedule began on the master's clock tells the run apart
            schedule, start_s = Schedule.from_dict(data["schedule"]), start_of(clock, received_s)
            self._meter.hand_over.begin(schedule, start_s, parts, clock["start_s"])
            self._say_when_served(schedule.length_s)
        else:
            self._meter.hand_over.add_part(Part(*data["part"]))

    def _say_when_served(self, length_s: float | None) -> None:
        """Tell the master once this worker has served its last arrival; never if the schedule does not end."""
        if self._looking is not None:
            self._looking.kill(block=False)
        self._looking = None if length_s is None else gevent.spawn(self._look, length_s)

    def _look(self, length_s: float) -> None:
        hand_over = self._meter.hand_over
        while hand_over.running:
            if self._meter.served:
                self._runner.send_message(SERVED)
                return
            gevent.sleep(max(END_LOOK_S, length_s - hand_over.now_s))

    def on_test_stopping(self, **_: Any) -> None:
        """Start no further arrivals, and leave what Locust does to stop its users out of the measurement."""
        self._meter.hand_over.end()
        self._meter.leave_out_stop()

    def on_test_stop(self, **_: Any) -> None:
        """Close the last second; the next report takes it to the master."""
        self._meter.end()

    def on_reset(self, **_: Any) -> None:
        """Reset the counts as the master did. What was counted so far still goes into the client metrics."""
        if self._meter.running:
            self._meter.cut()
        self._forgotten += self._meter.take()
        self._meter.reset()

    def on_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:  # noqa: ARG002 - Locust's signature
        """Add the seconds counted since the last report."""
        data[REPORT_KEY] = [part.to_dict() for part in self._meter.take()]
        if self._problem:
            data[PROBLEM_KEY] = self._problem
        if self._forgotten:
            data[FORGOTTEN_KEY] = [part.to_dict() for part in self._forgotten]
            self._forgotten.clear()

    def on_drain(self, **_: Any) -> None:
        """Let the streams under way end, report them, and confirm it: the master is ending the run."""
        self._stop_and_report()

    def on_quitting(self, **_: Any) -> None:
        """Report the rest of the counts before this process tells the master that it quits."""
        if self._environment.process_exit_code is None and not log.unhandled_greenlet_exception:
            self._environment.process_exit_code = 0  # the master's status says whether streams failed
        try:
            self._stop_and_report()
        except KeyboardInterrupt:  # raised while this worker waited for the stop that the master asked for
            self.on_cut()
            self._stop_and_report()

    def on_cut(self, **_: Any) -> None:
        """End the streams under way now; they count as censored."""
        end_users(self._runner)

    def _stop_and_report(self) -> None:
        with self._stopping:  # the master and Ctrl-C may both ask
            try:
                self._runner.stop()
            except KeyboardInterrupt:
                self.on_cut()
                self._runner.stop()
        # Locust would wait for the stop timeout a second time when the master tells it to stop.
        self._environment.stop_timeout = 0.0
        data: dict[str, Any] = {}
        self._environment.events.report_to_master.fire(client_id=self._runner.client_id, data=data)
        self._runner.send_message("stats", data)
        self._runner.send_message(DRAINED, {"end": self._meter.hand_over.ended})


def _remember_defaults() -> None:
    """Cache the defaults of Locust's options.

    Locust computes them for every message that starts users, which takes 90 ms. No stream is read meanwhile.
    """
    argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
    argument_parser.default_args_dict()
