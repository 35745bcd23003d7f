"""Locust as a child process: its start, its run as it goes on, and its end."""

import time
from pathlib import Path

from streamgauge.demo.demo_plan import Plan
from streamgauge.demo.sample import environment
from streamgauge.demo.service import SampleApp
from streamgauge.report.result import read_result
from streamgauge.report.units import some
from streamgauge.runner.display import Display, Progress
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.locust_web import IDLE, LocustWeb, LocustWebError
from streamgauge.runner.ports import HOST
from streamgauge.runner.process import Child, ChildError, Children
from streamgauge.runner.runs import Runs, StartOfRun, discard
from streamgauge.runner.timeline import Timeline

_TURN_S = 0.1
_START_S = 60.0
#: After Ctrl-C: the streams' stop timeout, the workers' grace and the writing of the report, with room.
_LONGEST_END_S = 60.0
_REPORT = "report.html"
#: Locust's own tables begin so.
_SUMMARY = "\nType     Name   "


def arguments(plan: Plan, url: str) -> list[str]:
    """What ``locust`` is started with."""
    return [
        *("-f", str(plan.locustfile)),
        *("-H", url),
        *("-u", str(plan.users)),
        *("-r", f"{plan.spawn_rate:g}"),
        *("-t", f"{plan.run_time_s}s"),
        *("--result-dir", str(plan.result_dir)),
        *("--metrics-host", HOST),
        *_interface(plan),
        *_processes(plan),
    ]


def _interface(plan: Plan) -> list[str]:
    if plan.ports.web is None:
        return ["--headless", "--only-summary"]
    return ["--web-host", HOST, "--web-port", str(plan.ports.web.number)]


def _processes(plan: Plan) -> list[str]:
    if plan.ports.workers is None:
        return []
    port = str(plan.ports.workers.number)
    return [
        *("--processes", str(plan.processes)),
        *("--master-bind-host", HOST, "--master-bind-port", port),
        *("--master-host", HOST, "--master-port", port),
    ]


class Generator:
    """Locust, and the runs that it does."""

    process: Child
    """From ``start`` on."""

    def __init__(self, plan: Plan, children: Children, display: Display, interrupt: Interrupt, app: SampleApp) -> None:
        self._plan = plan
        self._children = children
        self._display = display
        self._interrupt = interrupt
        self._app = app
        self._waiting: list[Path] = []

    def start(self) -> None:
        """Start Locust, and return once its run has begun."""
        with StartOfRun(self._plan.result_dir) as start:
            while not start.taken():
                self._interrupt.check()
                time.sleep(_TURN_S)
            self._runs = Runs(self._plan.result_dir)
            log = self._plan.log("locust")
            options = arguments(self._plan, self._app.url)
            self.process = self._children.start("Locust", "locust", options, log, environment())
            self.process.epilogue = _SUMMARY
            self._run = self._await_run()
        self._timeline = Timeline(self._run / "timeline.ndjson")
        self.process.move_log(self._run / "locust.log")
        self._app.process.move_log(self._run / "app.log")

    def _await_run(self) -> Path:
        deadline_s, asked = time.monotonic() + _START_S, self._plan.ports.web is None
        while time.monotonic() < deadline_s:
            if self._interrupt.asked:
                self.process.end()
                discard(*self._runs.new(), self.process.log, self._app.process.log)
                raise Interrupted
            if found := self._runs.new():
                return found[0]
            if not self.process.running:
                raise ChildError(f"Locust ended at its start, with status {self.process.end()}", self.process)
            asked = asked or self._ask_to_start()
            time.sleep(_TURN_S)
        raise ChildError(f"Locust began no run within {_START_S:g} s", self.process)

    def _ask_to_start(self) -> bool:
        """Start the run in the web UI, if that and all workers are there. Returns whether a run is started.

        ``--autostart`` would do it as well, but its run time goes on after STOP, and would end a later run.
        """
        plan, port = self._plan, self._plan.ports.web
        assert port is not None
        master = LocustWeb(f"http://{HOST}:{port.number}")
        try:
            stats = master.stats()
        except LocustWebError:
            return False
        if plan.processes > 1 and stats.get("worker_count", 0) < plan.processes:
            return False
        if stats["state"] not in IDLE:
            return True  # the user was faster
        users, rate, run_time = str(plan.users), f"{plan.spawn_rate:g}", f"{plan.run_time_s}s"
        try:
            master.start([("user_count", users), ("spawn_rate", rate), ("run_time", run_time)])
        except LocustWebError as error:
            raise ChildError(f"Locust started no run: {error}", self.process) from None
        return True

    def follow(self) -> None:
        """Show how the first run goes until it has ended; pass the user's wish to end on to it."""
        began_s, ask_s = time.monotonic(), None
        while self.process.running and not (self._plan.web and (self._run / _REPORT).exists()):
            now_s = time.monotonic()
            if ask_s is None and self._must_end():
                ask_s = now_s
                self.process.ask_to_end()
            if ask_s is not None and now_s - ask_s > _LONGEST_END_S:
                self._display.warn(f"Locust did not end within {_LONGEST_END_S:g} s: it is killed")
                self.process.end()
                break
            self._timeline.read()
            self._display.show(self._progress(now_s - began_s, ending=ask_s is not None))
            time.sleep(_TURN_S)

    def _must_end(self) -> bool:
        if self._interrupt.asked:
            self._display.say("Ending: streams under way get up to 15 s. Ctrl-C again kills everything.")
            return True
        if not self._app.process.running:
            status = self._app.process.end()
            self._display.warn(f"The app ended in mid-run, with status {status}:", self._app.process.tail())
            return True
        return False

    def _progress(self, elapsed_s: float, *, ending: bool) -> Progress:
        timeline = self._timeline
        return Progress(
            phase=self._end_phase() if ending or elapsed_s >= self._plan.run_time_s else "running",
            elapsed_s=elapsed_s,
            run_time_s=self._plan.run_time_s,
            users=self._plan.users,
            finished=timeline.finished,
            failed=timeline.failed,
            latest=timeline.latest,
        )

    def _end_phase(self) -> str:
        if (self._run / "result.json").exists():
            return "writing the report"
        if self._plan.processes > 1:
            return "waiting for streams to end"  # how many, a master is told some seconds later
        active = self._timeline.latest["active"] if self._timeline.latest else 0
        return f"waiting for {some(active, 'stream')} to end" if active else "writing the report"

    def finished_run(self) -> Path:
        """The first run's directory, with its result; raises DemoError where Locust left none."""
        self._timeline.read()
        if self._interrupt.asked and not self._timeline.started:
            self.process.end()
            discard(self._run)
            raise Interrupted
        if (self._run / "result.json").exists():
            return self._run
        raise ChildError(f"Locust ended with status {self.process.end()} and left no result", self.process)

    def later_runs(self) -> list[Path]:
        """Further runs of the app, started in the web UI, that have ended since the last call."""
        self._waiting += self._runs.new()
        ended = [run for run in self._waiting if (run / _REPORT).exists()]
        self._waiting = [run for run in self._waiting if run not in ended]
        return [run for run in ended if read_result(run)["run"]["host"] == self._app.url]

    def end(self) -> int:
        """Let Locust end, and return its exit status."""
        return self.process.end(_LONGEST_END_S)
