"""Change how Locust gives users to processes: evenly inside each second, and no more once the run stops."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from locust.dispatch import UsersDispatcher

#: How many times a second users start at most. Each time costs Locust a look at all users, and a message a worker.
MOST_SLICES, MOST_MESSAGES = 10, 200
#: So few users of a process may start at once. Locust replaces users that have ended whenever it starts more, so a
#: short ramp stays in one piece.
FEW = 50


def evenly(dispatcher: type[UsersDispatcher], at_once: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that spreads the users of a second over it, or starts all of them ``at_once``.

    In the open model users only wait for arrivals, so none need come later. In the closed model Locust starts them all
    at the beginning of the second: with 1000 users, the event loop would read nothing for a quarter of a second, and
    the service would get 1000 requests at once. Users that leave are not spread: Locust waits for each slice of them,
    up to the stop timeout. A slice that was late does not delay the next ones.
    """

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def new_dispatch(self, target_user_count: int, spawn_rate: float, *more: Any, **others: Any) -> None:
            if at_once():
                super().new_dispatch(target_user_count, max(spawn_rate, target_user_count), *more, **others)
                return
            super().new_dispatch(target_user_count, spawn_rate, *more, **others)
            if target_user_count <= self._current_user_count:
                return
            users = slice_of(spawn_rate, len(self._worker_nodes))
            self._user_count_per_dispatch_iteration = users
            self._wait_between_dispatch = users / spawn_rate
            self._due_s = time.monotonic()

        @contextlib.contextmanager
        def _wait_between_dispatch_iteration_context(self) -> Iterator[None]:
            if self._target_user_count <= self._current_user_count or at_once():
                with super()._wait_between_dispatch_iteration_context():
                    yield
                return
            yield
            self._due_s += self._wait_between_dispatch
            if self._current_user_count != self._target_user_count:
                gevent.sleep(max(0.0, self._due_s - time.monotonic()))

    return Dispatcher


def slice_of(spawn_rate: float, workers: int) -> int:
    """Return how many users start at once, over all workers."""
    few = FEW * max(1, workers)
    slices = max(1, min(MOST_SLICES, MOST_MESSAGES // max(1, workers), math.ceil(spawn_rate / few)))
    return max(1, math.floor(spawn_rate / slices))


def joining(dispatcher: type[UsersDispatcher], join: Callable[[], None]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` whose ramp ends once ``join`` has returned: all its users have started."""

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def __next__(self) -> dict[str, dict[str, int]]:
            try:
                users: dict[str, dict[str, int]] = super().__next__()
            except StopIteration:
                join()
                raise
            return users

    return Dispatcher


def while_running(dispatcher: type[UsersDispatcher], running: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that ends its ramp once ``running`` is false, so that no draining worker starts users."""

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def __next__(self) -> dict[str, dict[str, int]]:
            users: dict[str, dict[str, int]] = super().__next__()
            if not running():
                raise StopIteration
            return users

    return Dispatcher
