"""Locust users that stop after one stream, in a run that ends with the last user."""

from itertools import count

import gevent
from locust.env import Environment
from locust.exception import StopUser

from benchmarks.engine.clients import orders

_numbers = count()
_ended = count(1)


def next_stream() -> int:
    """The number of the stream that the calling user is to read; a user without one is stopped."""
    number = next(_numbers)
    if number >= orders.streams():
        raise StopUser
    return number


def leave(environment: Environment) -> None:
    """The calling user has read its stream: it stops, and the run with the last of them."""
    runner = environment.runner
    if next(_ended) == orders.streams() and runner is not None:
        gevent.spawn(runner.quit)
    raise StopUser
