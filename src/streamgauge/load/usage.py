"""What the user asked for and cannot have: it is said once, and Locust exits with 2."""

import logging
import sys
from typing import TYPE_CHECKING, NoReturn
from weakref import WeakKeyDictionary

import gevent

if TYPE_CHECKING:
    from locust.env import Environment

logger = logging.getLogger(__name__)

USAGE = 2
#: The run in which a problem was logged last, by its start, and the problem.
_told: "WeakKeyDictionary[Environment, tuple[object, str]]" = WeakKeyDictionary()


def refuse(problem: str) -> NoReturn:
    """End the process before a run."""
    _say(problem)
    sys.exit(USAGE)


def refused(environment: "Environment") -> bool:
    """Whether the run was ended for what it was asked for."""
    return environment.process_exit_code == USAGE


def refuse_run(environment: "Environment", problem: str) -> None:
    """Say once in a run why none of its users can stream; end a headless run in one process."""
    from locust.runners import LocalRunner

    runner = environment.runner
    if not (isinstance(runner, LocalRunner) and getattr(environment.parsed_options, "headless", False)):
        run = runner.stats.start_time if runner is not None else None
        if _told.get(environment) != (run, problem):
            _told[environment] = run, problem
            logger.error("%s", problem)
    elif not refused(environment):
        environment.process_exit_code = USAGE
        _say(problem)
        gevent.spawn(runner.quit)


def _say(problem: str) -> None:
    sys.stderr.write(f"locust: error: {problem}\n")
