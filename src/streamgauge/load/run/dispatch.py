"""Change how Locust gives users to processes: evenly inside each second, and no more once the run stops."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from locust.dispatch import UsersDispatcher

from streamgauge.load.run.worker_turns import WorkerTurns

#: How many times a second users start at most. Each time costs Locust a look at all users, and a message a worker.
MOST_SLICES, MOST_MESSAGES = 10, 200
#: So few users of a process may start at once. Locust replaces users that have ended whenever it starts more, so a
#: short ramp stays in one piece.
FEW = 50


def evenly(dispatcher: type[UsersDispatcher], at_once: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that spreads the users of a second over it, or starts all of them ``at_once``.

    In the open model users only wait for arrivals, so none need come later, and each worker gets users of every class.
    In the closed model Locust starts them all
    at the beginning of the second: with 1000 users, the event loop would read nothing for a quarter of a second, and
    the service would get 1000 requests at once. Users that leave are not spread: Locust waits for each slice of them,
    up to the stop timeout.
    """

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        _worker_node_generator: Iterator[Any]
        _drawn = ""

        def _user_gen(self) -> Iterator[str | None]:
            for user in super()._user_gen():
                self._drawn = user
                yield user

        def _turns(self) -> WorkerTurns:
            return WorkerTurns(lambda: self._worker_nodes, lambda: self._drawn)

        def _distribute_users(self, target_user_count: int) -> Any:
            found = super()._distribute_users(target_user_count)
            if not at_once():
                return found
            users_on_workers, user_gen, _, active = found
            turns, given = self._turns(), []
            for worker, user in active:
                users_on_workers[worker.id][user] -= 1
            for _, self._drawn in active:
                given.append((next(turns), self._drawn))
                users_on_workers[given[-1][0].id][self._drawn] += 1
            return users_on_workers, user_gen, turns, given

        def new_dispatch(self, target_user_count: int, spawn_rate: float, *more: Any, **others: Any) -> None:
            turns = isinstance(self._worker_node_generator, WorkerTurns)
            if at_once() != turns:
                self._worker_node_generator = self._turns() if at_once() else itertools.cycle(self._worker_nodes)
            if at_once():
                super().new_dispatch(target_user_count, max(spawn_rate, target_user_count), *more, **others)
                return
            super().new_dispatch(target_user_count, spawn_rate, *more, **others)
            if target_user_count <= self._current_user_count:
                return
            users = slice_of(spawn_rate, len(self._worker_nodes))
            self._user_count_per_dispatch_iteration = users
            self._wait_between_dispatch = users / spawn_rate

    return Dispatcher


def slice_of(spawn_rate: float, workers: int) -> int:
    """Return how many users start at once, over all workers."""
    few = FEW * max(1, workers)
    slices = max(1, min(MOST_SLICES, MOST_MESSAGES // max(1, workers), math.ceil(spawn_rate / few)))
    return max(1, math.floor(spawn_rate / slices))


def while_running(dispatcher: type[UsersDispatcher], running: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that ends its ramp once ``running`` is false, so that no draining worker starts users."""

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def __next__(self) -> dict[str, dict[str, int]]:
            users: dict[str, dict[str, int]] = super().__next__()
            if not running():
                raise StopIteration
            return users

    return Dispatcher
