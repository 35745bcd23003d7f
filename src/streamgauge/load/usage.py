"""What the user asked for and cannot have: it is said once, and Locust exits with 2."""

import sys
from typing import TYPE_CHECKING, NoReturn

import gevent

if TYPE_CHECKING:
    from locust.env import Environment

USAGE = 2


def refuse(problem: str) -> NoReturn:
    """End the process before a run."""
    _say(problem)
    sys.exit(USAGE)


def refused(environment: "Environment") -> bool:
    """Whether the run was ended for what it was asked for."""
    return environment.process_exit_code == USAGE


def refuse_run(environment: "Environment", problem: str) -> bool:
    """End a run that is under way; False where others are to do that: a master, or who looks at the web UI."""
    from locust.runners import LocalRunner

    runner = environment.runner
    if not (isinstance(runner, LocalRunner) and getattr(environment.parsed_options, "headless", False)):
        return False
    if not refused(environment):
        environment.process_exit_code = USAGE
        _say(problem)
        gevent.spawn(runner.quit)
    return True


def _say(problem: str) -> None:
    sys.stderr.write(f"locust: error: {problem}\n")
