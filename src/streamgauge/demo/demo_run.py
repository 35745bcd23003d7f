"""A demo from start to end: which process runs when, and what becomes of a wish to end."""

import http.client
import time
from dataclasses import replace

from streamgauge.demo.demo_plan import Plan
from streamgauge.demo.finish import Finish, short
from streamgauge.demo.generator import Generator
from streamgauge.demo.service import SampleApp
from streamgauge.runner.display import Display
from streamgauge.runner.interrupt import Interrupt, Interrupted, Killed
from streamgauge.runner.ports import HOST, PortError
from streamgauge.runner.process import Child, ChildError, Children
from streamgauge.verdict.exit_status import ExitStatus

_TURN_S = 0.1


def run_demo(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> int:
    """Run the demo and return its exit status."""
    display = Display(quiet=quiet)
    try:
        with Children() as children:
            status = _Demo(plan, display, interrupt, children).run()
        display.say(_farewell(plan))
        return status
    except Interrupted:
        display.warn("Interrupted before any stream ended: there is nothing to report.")
    except Killed:
        display.warn("Killed. What Locust had not written yet is lost.")
    except ChildError as error:
        display.warn(f"streamgauge demo: {error}", _last_words(error.child))
        return ExitStatus.INTERRUPTED if interrupt.asked else 1
    except BrokenPipeError:
        raise  # nobody reads on: click ends quietly
    except OSError as error:
        display.warn(f"streamgauge demo: {error}")
        return 1
    finally:
        display.close()
    return ExitStatus.INTERRUPTED


def _farewell(plan: Plan) -> str:
    if plan.web:
        return "Locust's web UI and the sample app have ended."
    return "The sample app has ended. To keep it and Locust's web UI open after the run, add --web."


def _last_words(child: Child | None) -> str:
    return f"{child.tail()}\n({child.log})" if child else ""


class _Demo:
    def __init__(self, plan: Plan, display: Display, interrupt: Interrupt, children: Children) -> None:
        self._plan = plan
        self._display = display
        self._interrupt = interrupt
        self._children = children

    def run(self) -> int:
        app = self._start_app()
        try:
            finish = Finish(app, self._display)
        except (OSError, http.client.HTTPException) as error:
            raise ChildError(f"the app's metrics cannot be read: {error}", app.process) from None
        generator = self._start_generator(app)
        generator.follow()
        early = self._interrupt.asked
        self._display.close()
        self._display.say("")
        status = finish.conclude(generator.finished_run())
        if early:
            return ExitStatus.INTERRUPTED
        if self._plan.web:
            self._stay_open(generator, finish, app)
            if self._interrupt.asked:
                return status
        return self._status(generator, status)

    def _start_app(self) -> SampleApp:
        self._name_busy_ports()
        self._display.say("Starting the sample app")
        try:
            app = SampleApp(self._plan, self._children, self._interrupt)
        except ChildError as error:
            app = self._start_app_elsewhere(error)
        self._display.show_addresses({"sample app": app.url, "its metrics": app.metrics_url})
        return app

    def _start_app_elsewhere(self, error: ChildError) -> SampleApp:
        """Start it again, once, if a port was taken since it was chosen; else raise ``error``."""
        try:
            ports = self._plan.ports.chosen_anew()
        except PortError:
            raise error from None
        if ports == self._plan.ports:
            raise error
        self._plan = replace(self._plan, ports=ports)
        self._name_busy_ports()
        return SampleApp(self._plan, self._children, self._interrupt)

    def _name_busy_ports(self) -> None:
        ports = self._plan.ports
        for port in (ports.app, ports.metrics, ports.web, ports.workers):
            if port is not None and port.notice:
                self._display.warn(port.notice)

    def _start_generator(self, app: SampleApp) -> Generator:
        self._display.say(f"Starting Locust: {self._plan.users} users for {self._plan.run_time_s} s")
        try:
            generator = self._generator(app)
        except ChildError as error:
            generator = self._generator_elsewhere(app, error)
        if self._plan.web:
            self._display.show_addresses({"Locust's web UI": self._web_url})
        return generator

    def _generator(self, app: SampleApp) -> Generator:
        generator = Generator(self._plan, self._children, self._display, self._interrupt, app)
        generator.start()
        return generator

    def _generator_elsewhere(self, app: SampleApp, error: ChildError) -> Generator:
        """Start Locust again, once, if a port was taken since it was chosen; else raise ``error``."""
        before = self._plan.ports
        try:
            ports = before.locust_anew()
        except PortError as taken:
            raise ChildError(str(taken), error.child) from None
        if ports == before:
            raise error
        self._plan = replace(self._plan, ports=ports)
        for port, old in ((ports.web, before.web), (ports.workers, before.workers)):
            if port is not None and port != old:
                self._display.warn(port.notice)
        return self._generator(app)

    @property
    def _web_url(self) -> str:
        port = self._plan.ports.web
        return f"http://{HOST}:{port.number}" if port else ""

    def _stay_open(self, generator: Generator, finish: Finish, app: SampleApp) -> None:
        """Leave the web UI to the user until Ctrl-C, and conclude the runs that are started there."""
        self._display.say("")
        self._display.say(f"Locust's web UI stays open at {self._web_url}; start further runs of the sample app there.")
        self._display.say(f"Each run's verdict is printed here and its files are in {short(self._plan.result_dir)}")
        self._display.say(
            f"The sample app stays at {app.url}, its metrics at {app.metrics_url}. Ctrl-C ends all of it."
        )
        while not self._interrupt.asked and generator.process.running:
            for run in generator.later_runs():
                finish.conclude(run)
            time.sleep(_TURN_S)
        self._display.say("Ending")
        generator.end()
        for run in generator.later_runs():
            finish.conclude(run)

    def _status(self, generator: Generator, status: int) -> int:
        """The run's exit status, or Locust's own where that says more."""
        own = generator.end()
        if status == 0 and own != 0:
            self._display.warn(f"Locust ended with status {own}:", _last_words(generator.process))
            return 1
        return status
