"""How streamgauge takes part in a Locust process: which listeners it adds, by the role that the process has."""

import inspect
import signal
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from streamgauge.load.gauge import Gauge
from streamgauge.load.local import LocalRun
from streamgauge.load.master import MasterRun
from streamgauge.load.options import add_options
from streamgauge.load.worker import WorkerRun

_gauges: "WeakKeyDictionary[Environment, Gauge]" = WeakKeyDictionary()
_installed: list[bool] = []


def install() -> None:
    """Add the options and the listeners, once."""
    if not _installed:
        _installed.append(True)
        events.init_command_line_parser.add_listener(add_options)
        events.init.add_listener(_on_init)


def gauge_of(environment: Environment) -> Gauge:
    """The measuring of this process, made at its first use: Locust forks workers after it has read the locustfile."""
    if environment not in _gauges:
        _gauges[environment] = Gauge()
    return _gauges[environment]


def _on_init(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if runner is not None:
        _hear_ctrl_c(environment)
        inspect.stack()  # Locust does it when it stops; the first one takes 50 ms and more, in which nothing is read
        gevent.get_hub().loop.update_now()  # or the run time counts from before the imports
    if isinstance(runner, WorkerRunner):
        WorkerRun(environment, runner, gauge_of(environment)).listen()
    elif isinstance(runner, MasterRunner):
        MasterRun(environment, runner).listen()
    elif runner is not None:
        LocalRun(environment, gauge_of(environment)).listen()


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
