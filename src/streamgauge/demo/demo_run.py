"""A demo from start to end: the sample app, Locust, and the early end that the user may ask for."""

import http.client
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from streamgauge.demo.demo_ports import Ports
from streamgauge.demo.sample import environment
from streamgauge.demo.sample_app import SampleApp
from streamgauge.report.live_display import Display
from streamgauge.runner.conclusion import Conclusion, short
from streamgauge.runner.interrupt import Interrupt, Interrupted, Killed
from streamgauge.runner.load_plan import LoadPlan
from streamgauge.runner.locust_run import LocustRun
from streamgauge.runner.ports import HOST, Port, PortError
from streamgauge.runner.process import ChildError, Children
from streamgauge.runner.runs import discard
from streamgauge.verdict.exit_status import ExitStatus

_POLL_S = 0.1
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
    def web_url(self) -> str:
        """The address of Locust's web UI; empty if it has none."""
        return f"http://{HOST}:{self.ports.web.number}" if self.ports.web else ""

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
            workers_port=_number(self.ports.workers),
            web_port=_number(self.ports.web),
        )


def _number(port: Port | None) -> int | None:
    return port.number if port else None


def run_demo(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> int:
    """Run the demo and return its exit status."""
    display = Display(quiet=quiet)
    try:
        with Children() as children:
            status = _Demo(plan, display, interrupt, children).run()
        display.say(_closing_line(plan))
        return status
    except Interrupted:
        discard(plan.log("app"))
        display.warn("Interrupted before any stream ended, so there is nothing to report.")
    except Killed:
        display.warn("Killed. All data that Locust had not written yet are lost.")
    except ChildError as error:
        display.warn(f"streamgauge demo: {error}", _last_output(error))
        return ExitStatus.INTERRUPTED if interrupt.requested else ExitStatus.FAILED
    except BrokenPipeError:
        raise  # the reader of standard output is gone: click ends quietly
    except OSError as error:
        display.warn(f"streamgauge demo: {error}")
        return ExitStatus.FAILED
    finally:
        display.close()
    return ExitStatus.INTERRUPTED


def _closing_line(plan: Plan) -> str:
    if plan.web_url:
        return "Locust's web UI and the sample app have ended."
    return "The sample app has ended. Add --web to keep it and Locust's web UI open after the run."


def _last_output(error: ChildError) -> str:
    return f"{error.last_output}\n({error.child.log})" if error.child else ""


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
        locust = self._start_locust(app)
        locust.follow(self._display, lambda: self._must_end(app))
        early = self._interrupt.requested
        self._display.close()
        self._display.say("")
        status = conclusion.conclude(locust.finished())
        if early:
            return ExitStatus.INTERRUPTED
        if self._plan.web_url:
            self._stay_open(locust, conclusion, app)
            if self._interrupt.requested:
                return status
        return self._status(locust, status)

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
        ports = self._plan.ports
        self._name(ports.app, ports.metrics, ports.web, ports.workers)

    def _name(self, *ports: Port | None) -> None:
        for port in ports:
            if port is not None and port.notice:
                self._display.warn(port.notice)

    def _start_locust(self, app: SampleApp) -> LocustRun:
        self._display.say(f"Starting Locust: {self._plan.users} users for {self._plan.run_time_s} s")
        try:
            locust = self._locust(app)
        except ChildError as error:
            locust = self._start_locust_elsewhere(app, error)
        app.process.move_log(locust.directory / "app.log")
        if self._plan.web_url:
            self._display.show_addresses({"Locust's web UI": self._plan.web_url}, _UNTIL)
        return locust

    def _locust(self, app: SampleApp) -> LocustRun:
        locust = LocustRun(self._plan.load(app.url), self._children, self._interrupt)
        locust.start()
        return locust

    def _start_locust_elsewhere(self, app: SampleApp, error: ChildError) -> LocustRun:
        """Start Locust once more if another process took a port since it was chosen; else raise ``error``."""
        before = self._plan.ports
        try:
            ports = before.locust_chosen_again()
        except PortError as taken:
            raise ChildError(str(taken), error.child) from None
        if ports == before:
            raise error
        self._plan = replace(self._plan, ports=ports)
        pairs = (ports.web, before.web), (ports.workers, before.workers)
        self._name(*(port for port, old in pairs if port != old))
        return self._locust(app)

    def _must_end(self, app: SampleApp) -> bool:
        if self._interrupt.requested:
            self._display.say(
                "Ending. Streams under way have up to 15 s to end; press Ctrl-C again to kill everything."
            )
            return True
        if not app.process.running:
            status = app.process.end()
            self._display.warn(f"The app ended during the run, with status {status}:", app.process.tail())
            return True
        return False

    def _stay_open(self, locust: LocustRun, conclusion: Conclusion, app: SampleApp) -> None:
        """Keep the web UI open until Ctrl-C, and conclude the runs that the user starts there."""
        self._display.say("")
        self._display.say(
            f"Locust's web UI stays open at {self._plan.web_url}; start further runs of the sample app there."
        )
        self._display.say(f"The verdict of each run is printed here; its files are in {short(self._plan.result_dir)}")
        self._display.say(
            f"The sample app stays at {app.url}, its metrics at {app.metrics_url}. Press Ctrl-C to end everything."
        )
        while not self._interrupt.requested and locust.child.running:
            for run in locust.later_runs():
                conclusion.conclude(run)
            time.sleep(_POLL_S)
        self._display.say("Ending")
        locust.end()
        for run in locust.later_runs():
            conclusion.conclude(run)

    def _status(self, locust: LocustRun, status: int) -> int:
        """Return the run's exit status, or failure if only Locust itself failed."""
        own = locust.end()
        if status == ExitStatus.PASSED and own != ExitStatus.PASSED:
            self._display.warn(f"Locust ended with status {own}:", f"{locust.child.tail()}\n({locust.child.log})")
            return ExitStatus.FAILED
        return status
