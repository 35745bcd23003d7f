"""Add streamgauge to a Locust process: options, and listeners by the role of the process."""

import inspect
import signal
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, Runner, WorkerRunner

from streamgauge.client.connect.target import TargetError
from streamgauge.load.checked_options import checked_options
from streamgauge.load.hosts import check_host, check_name, check_sockets
from streamgauge.load.metrics.exporter import Exporter, open_exporter
from streamgauge.load.metrics.exporter_options import add_exporter_options, exporter_options
from streamgauge.load.metrics.exporter_server import MetricsPortError
from streamgauge.load.open_files import raise_limit, shortage
from streamgauge.load.option_names import add_after_listeners
from streamgauge.load.options import add_options, set_defaults
from streamgauge.load.own_options import add_own_options
from streamgauge.load.process_meter import process_meter_of
from streamgauge.load.run.local import LocalRun
from streamgauge.load.run.master import MasterRun
from streamgauge.load.run.reporting import ReportingRun
from streamgauge.load.run.worker import WorkerRun
from streamgauge.load.shapes.user_shape import follow_shape, forget_run_time
from streamgauge.load.usage import refuse
from streamgauge.load.web.form import extend_form
from streamgauge.load.web.live_page import add_live_page
from streamgauge.load.web.polling import keep_polling
from streamgauge.load.web.streaming_tab import add_streaming_tab

_installed: list[bool] = []


def install() -> None:
    """Add the options and the listeners, once."""
    if not _installed:
        _installed.append(True)
        events.init_command_line_parser.add_listener(set_defaults)
        add_after_listeners(events.init_command_line_parser, _add_options)
        events.init.add_listener(_on_init)


def _add_options(parser: Any) -> None:
    add_own_options(parser)
    add_options(parser)
    add_exporter_options(parser)


def _on_init(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if runner is not None:
        if not isinstance(runner, WorkerRunner):  # the master has checked the options of its workers
            _check(environment)
            _check_files(environment, runner)
        _handle_ctrl_c(environment)
        inspect.stack()  # Locust calls it at a stop. The first call takes 50 ms and more, during which nothing is read
        gevent.get_hub().loop.update_now()  # else the run time would count from before the imports
    if isinstance(runner, WorkerRunner):
        raise_limit()
        WorkerRun(environment, runner, process_meter_of(environment)).listen()
    elif runner is not None:
        run = _reporting_run(environment, runner)
        run.listen()
        forget_run_time(environment)
        _extend_web_ui(environment, run)


def _reporting_run(environment: Environment, runner: Runner) -> ReportingRun:
    if isinstance(runner, MasterRunner):
        return MasterRun(environment, runner, _exporter(environment, measuring=False))
    return LocalRun(environment, process_meter_of(environment), _exporter(environment, measuring=True))


def _check(environment: Environment) -> None:
    """End the process if options contradict each other, or if no user can stream to the host."""
    try:
        options = checked_options(environment, environment.parsed_options)
        follow_shape(environment, environment.parsed_options)
    except ValueError as error:
        refuse(str(error))
    try:
        check_host(environment, environment.host or "")
        check_sockets(environment, environment.host or "", options)
    except TargetError as error:
        refuse(f"--host: {error}")
    try:
        check_name(environment, environment.host or "", options)
    except TargetError as error:
        refuse(f"--stream-server-name: {error}")


def _check_files(environment: Environment, runner: Runner) -> None:
    """Raise the limit of open files. End the process if all users of ``-u`` run in it and it is still too low."""
    users = getattr(environment.parsed_options, "num_users", None) or 0
    if (said := shortage(users)) and isinstance(runner, LocalRunner):
        refuse(f"-u: {said}")


def _extend_web_ui(environment: Environment, run: ReportingRun) -> None:
    if environment.web_ui is not None:
        extend_form(environment, environment.web_ui)
        keep_polling(environment, environment.web_ui)
        add_streaming_tab(environment.web_ui, run)
        add_live_page(environment.web_ui, run)


def _exporter(environment: Environment, *, measuring: bool) -> Exporter | None:
    """Open the client metrics unless they are off; end the process if the port that the user set is not free."""
    options = exporter_options(environment.parsed_options)
    try:
        return None if options is None else open_exporter(options, measuring=measuring)
    except MetricsPortError as error:
        refuse(str(error))


def _handle_ctrl_c(environment: Environment) -> None:
    """Handle SIGINT until Locust exits; after that it would only disturb the interpreter's shutdown."""
    watcher = gevent.signal_handler(signal.SIGINT, _interrupt)

    def ignore(**_: Any) -> None:
        watcher.cancel()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    environment.events.quit.add_listener(ignore)


def _interrupt() -> None:
    """Raise KeyboardInterrupt in the main greenlet: Python raises it in any, which may end only one of Locust's own."""
    gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
