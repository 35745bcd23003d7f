"""Which worker gets a user next, so that each worker has users of every class.

Locust gives users to workers in turn, whatever their class. With two workers and four classes of equal weights, the
first worker gets all users of two classes. The arrivals of an open model are divided among workers by their number: one
whose class has no user on its worker would be dropped.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any


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
