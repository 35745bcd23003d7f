"""Locust users that stop after one stream, in a run that ends with the last user."""

from itertools import count

import gevent
from locust.env import Environment
from locust.exception import StopUser

from benchmarks.engine.clients import orders

_numbers = count()
_ended = count(1)


def next_stream() -> int:
    """Return the number of the calling user's stream; stop the user if there is none left."""
    number = next(_numbers)
    if number >= orders.streams():
        raise StopUser
    return number


def leave(environment: Environment) -> None:
    """Stop the calling user, which has read its stream; the last user ends the run."""
    runner = environment.runner
    if next(_ended) == orders.streams() and runner is not None:
        gevent.spawn(runner.quit)
    raise StopUser
