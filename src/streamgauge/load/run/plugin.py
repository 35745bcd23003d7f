"""How streamgauge takes part in a Locust process: which listeners it adds, by the role that the process has."""

import inspect
import signal
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from streamgauge.client.connect.target import TargetError
from streamgauge.load.hosts import check_host
from streamgauge.load.metrics.exporter import Exporter, open_exporter
from streamgauge.load.metrics.exporter_options import add_exporter_options, exporter_options
from streamgauge.load.metrics.exporter_server import MetricsPortError
from streamgauge.load.options import add_options, scenario_options
from streamgauge.load.process_meter import process_meter_of
from streamgauge.load.run.local import LocalRun
from streamgauge.load.run.master import MasterRun
from streamgauge.load.run.worker import WorkerRun
from streamgauge.load.usage import refuse
from streamgauge.load.web.form import extend_form
from streamgauge.load.web.polling import keep_polling

_installed: list[bool] = []


def install() -> None:
    """Add the options and the listeners, once."""
    if not _installed:
        _installed.append(True)
        events.init_command_line_parser.add_listener(add_options)
        events.init_command_line_parser.add_listener(add_exporter_options)
        events.init.add_listener(_on_init)


def _on_init(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if runner is not None:
        if not isinstance(runner, WorkerRunner):  # which the master tells
            _check(environment)
        _hear_ctrl_c(environment)
        inspect.stack()  # Locust does it when it stops; the first one takes 50 ms and more, in which nothing is read
        gevent.get_hub().loop.update_now()  # or the run time counts from before the imports
    _extend_web_ui(environment)
    if isinstance(runner, WorkerRunner):
        WorkerRun(environment, runner, process_meter_of(environment)).listen()
    elif isinstance(runner, MasterRunner):
        MasterRun(environment, runner, _exporter(environment, measuring=False)).listen()
    elif runner is not None:
        LocalRun(environment, process_meter_of(environment), _exporter(environment, measuring=True)).listen()


def _check(environment: Environment) -> None:
    """Options that cannot be had together, and a host that no user can stream to, end the process."""
    try:
        scenario_options(environment.parsed_options)
    except ValueError as error:
        refuse(str(error))
    try:
        check_host(environment, environment.host or "")
    except TargetError as error:
        refuse(f"--host: {error}")


def _extend_web_ui(environment: Environment) -> None:
    if environment.web_ui is not None:
        extend_form(environment, environment.web_ui)
        keep_polling(environment, environment.web_ui)


def _exporter(environment: Environment, *, measuring: bool) -> Exporter | None:
    """The client metrics, where they are wanted. A port that the user names and cannot have ends the process."""
    options = exporter_options(environment.parsed_options)
    try:
        return None if options is None else open_exporter(options, measuring=measuring)
    except MetricsPortError as error:
        refuse(str(error))


def _hear_ctrl_c(environment: Environment) -> None:
    """Hear Ctrl-C until Locust exits: from then on it could only break the interpreter's own shutdown."""
    watcher = gevent.signal_handler(signal.SIGINT, _interrupt)

    def ignore(**_: Any) -> None:
        watcher.cancel()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    environment.events.quit.add_listener(ignore)


def _interrupt() -> None:
    """Give Ctrl-C to the main greenlet: Python raises it in any, where it may end one of Locust's own and no more."""
    gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
