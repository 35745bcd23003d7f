"""Which worker gets a user next, so that each worker has users of every class.

Locust gives users to workers in turn, whatever their class. With two workers and four classes of equal weights, the
first worker gets all users of two classes. The arrivals of an open model are divided among workers by their number: one
whose class has no user on its worker would be dropped.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from locust.dispatch import UsersDispatcher


class WorkerTurns:
    """An iterator over workers, for users of the classes that ``drawn`` returns.

    Workers get users in turn, except that one gets another user of a class only after all others have got one of it.
    """

    def __init__(self, workers: Callable[[], Sequence[Any]], drawn: Callable[[], str]) -> None:
        self._workers, self._drawn = workers, drawn
        self._turn = 0
        #: By class, the workers that have got one more user of it than the others.
        self._served: defaultdict[str, set[str]] = defaultdict(set)

    def __iter__(self) -> "WorkerTurns":
        return self

    def __next__(self) -> Any:
        """Return the worker of the user that was drawn last."""
        workers, served = self._workers(), self._served[self._drawn()]
        if all(each.id in served for each in workers):
            served.clear()
        while workers[self._turn % len(workers)].id in served:
            self._turn += 1
        found = workers[self._turn % len(workers)]
        self._turn += 1
        served.add(found.id)
        return found


def class_by_class(dispatcher: type[UsersDispatcher], wanted: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that gives each worker users of every class while that is ``wanted``."""

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
            if not wanted():
                return found
            users_on_workers, user_gen, _, active = found
            turns, given = self._turns(), []
            for worker, user in active:
                users_on_workers[worker.id][user] -= 1
            for _, self._drawn in active:
                given.append((next(turns), self._drawn))
                users_on_workers[given[-1][0].id][self._drawn] += 1
            return users_on_workers, user_gen, turns, given

        def new_dispatch(self, *given: Any, **named: Any) -> None:
            if wanted() != isinstance(self._worker_node_generator, WorkerTurns):
                self._worker_node_generator = self._turns() if wanted() else itertools.cycle(self._worker_nodes)
            super().new_dispatch(*given, **named)

    return Dispatcher
