"""A demo from start to end: the sample app, Locust, and the early end that the user may ask for."""

import http.client
import os
from dataclasses import dataclass, replace
from pathlib import Path

from streamgauge.demo.demo_ports import Ports
from streamgauge.demo.sample import environment
from streamgauge.demo.sample_app import SampleApp
from streamgauge.report.live_display import Display
from streamgauge.runner.attended_run import AttendedRun, attend
from streamgauge.runner.conclusion import Conclusion, short
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.load_plan import LoadPlan
from streamgauge.runner.ports import HOST, PortError
from streamgauge.runner.process import ChildError, Children
from streamgauge.runner.runs import discard
from streamgauge.verdict.exit_status import ExitStatus

_UNTIL = "the demo ends"


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo as its options describe it."""

    users: int
    spawn_rate: float
    run_time_s: int
    processes: int
    locustfile: Path
    ports: Ports
    result_dir: Path

    @property
    def web(self) -> bool:
        """Whether Locust's web UI is to stay open."""
        return self.ports.locust.web is not None

    def log(self, process: str) -> Path:
        """Return the file for the output of a process, used until its run has a directory."""
        return self.result_dir / f"demo-{os.getpid()}-{process}.log"

    def load(self, url: str) -> LoadPlan:
        """Make the plan of the run on the app at ``url``."""
        return LoadPlan(
            locustfile=self.locustfile,
            host=url,
            users=self.users,
            spawn_rate=self.spawn_rate,
            run_time_s=self.run_time_s,
            result_dir=self.result_dir,
            log=self.log("locust"),
            environment=environment(),
            options=("--metrics-host", HOST),
            processes=self.processes,
        )


def run_demo(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> int:
    """Run the demo and return its exit status."""
    display = Display(quiet=quiet)

    def work(children: Children) -> int:
        try:
            return _Demo(plan, display, interrupt, children).run()
        except Interrupted:
            discard(plan.log("app"))
            raise

    return attend("demo", display, interrupt, work, _closing_line(plan))


def _closing_line(plan: Plan) -> str:
    if plan.web:
        return "Locust's web UI and the sample app have ended."
    return "The sample app has ended. Add --web to keep it and Locust's web UI open after the run."


class _Demo:
    def __init__(self, plan: Plan, display: Display, interrupt: Interrupt, children: Children) -> None:
        self._plan = plan
        self._display = display
        self._interrupt = interrupt
        self._children = children

    def run(self) -> int:
        app = self._start_app()
        try:
            conclusion = Conclusion(app, self._display)
        except (OSError, http.client.HTTPException) as error:
            raise ChildError(f"cannot read the app's metrics: {error}", app.process) from None
        run = self._start_locust(app)
        directory = run.follow(lambda: self._app_ended(app))
        early = self._interrupt.requested
        status = conclusion.conclude(directory)
        if early:
            return ExitStatus.INTERRUPTED
        if self._plan.web:
            self._stay_open(run, conclusion, app)
            if self._interrupt.requested:
                return status
        return run.status(status)

    def _start_app(self) -> SampleApp:
        self._name_busy_ports()
        self._display.say("Starting the sample app")
        try:
            app = self._app()
        except ChildError as error:
            app = self._start_app_elsewhere(error)
        self._display.show_addresses({"sample app": app.url, "its metrics": app.metrics_url}, _UNTIL)
        return app

    def _app(self) -> SampleApp:
        ports = self._plan.ports
        return SampleApp(ports.app, ports.metrics, self._plan.log("app"), self._children, self._interrupt)

    def _start_app_elsewhere(self, error: ChildError) -> SampleApp:
        """Start the app once more if another process took a port since it was chosen; else raise ``error``."""
        try:
            ports = self._plan.ports.chosen_again()
        except PortError:
            raise error from None
        if ports == self._plan.ports:
            raise error
        self._plan = replace(self._plan, ports=ports)
        self._name_busy_ports()
        return self._app()

    def _name_busy_ports(self) -> None:
        for notice in self._plan.ports.notices:
            self._display.warn(notice)

    def _start_locust(self, app: SampleApp) -> AttendedRun:
        self._display.say(f"Starting Locust: {self._plan.users} users for {self._plan.run_time_s} s")
        load, ports = self._plan.load(app.url), self._plan.ports.locust
        run = AttendedRun(load, ports, self._display, self._interrupt, self._children)
        run.start(_UNTIL)
        app.process.move_log(run.locust.directory / "app.log")
        return run

    def _app_ended(self, app: SampleApp) -> bool:
        """Whether the app has ended, so that the run must end too."""
        if app.process.running:
            return False
        status = app.process.end()
        self._display.warn(f"The app ended during the run, with status {status}:", app.process.tail())
        return True

    def _stay_open(self, run: AttendedRun, conclusion: Conclusion, app: SampleApp) -> None:
        self._display.say("")
        self._display.say(f"Locust's web UI stays open at {run.web_url}; start further runs of the sample app there.")
        self._display.say(f"The verdict of each run is printed here; its files are in {short(self._plan.result_dir)}")
        self._display.say(
            f"The sample app stays at {app.url}, its metrics at {app.metrics_url}. Press Ctrl-C to end everything."
        )
        run.stay_open(conclusion)
