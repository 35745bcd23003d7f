"""Refuse a run whose options are wrong: say why once, and exit with status 2."""

import logging
import sys
from typing import TYPE_CHECKING, NoReturn
from weakref import WeakKeyDictionary, WeakSet

import gevent

from streamgauge.verdict.exit_status import ExitStatus

if TYPE_CHECKING:
    from locust.env import Environment

logger = logging.getLogger(__name__)

#: The problem that was logged last, and the start of its run.
_told: "WeakKeyDictionary[Environment, tuple[object, str]]" = WeakKeyDictionary()
_refused: "WeakSet[Environment]" = WeakSet()


def refuse(problem: str) -> NoReturn:
    """Say why no run can start, and end the process."""
    _say(problem)
    sys.exit(ExitStatus.USAGE)


def refused(environment: "Environment") -> bool:
    """Whether the run was refused."""
    return environment in _refused


def refuse_run(environment: "Environment", problem: str) -> None:
    """Log once per run why its users cannot stream; end a headless run in one process."""
    from locust.runners import LocalRunner

    runner = environment.runner
    if not (isinstance(runner, LocalRunner) and getattr(environment.parsed_options, "headless", False)):
        run = runner.stats.start_time if runner is not None else None
        if _told.get(environment) != (run, problem):
            _told[environment] = run, problem
            logger.error("%s", problem)
    elif not refused(environment):
        _refused.add(environment)
        _say(problem)
        gevent.spawn(runner.quit)


def _say(problem: str) -> None:
    sys.stderr.write(f"locust: error: {problem}\n")
