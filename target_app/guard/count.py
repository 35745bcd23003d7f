"""How many streams are under way, over all workers: each writes its own number where the others see it."""

import mmap

_ENTRY_BYTES = 8


class StreamCount:
    """A number for each of ``workers``, in memory that processes share which are forked after it is made.

    The sum is exact while nothing changes; two workers that admit a stream at the same moment may both take the last
    place, so a limit can be passed by as many as there are workers, less one.
    """

    def __init__(self, workers: int = 1) -> None:
        self._counts = memoryview(mmap.mmap(-1, workers * _ENTRY_BYTES)).cast("q")
        self._own = 0

    def take(self, worker: int) -> None:
        """This process is now that worker, whose predecessor's streams are gone."""
        self._own = worker
        self._counts[worker] = 0

    def add(self, number: int) -> None:
        """Count streams that began (or ended, if negative) in this worker."""
        self._counts[self._own] += number

    def clear(self, worker: int) -> None:
        """That worker has died, and all its streams with it."""
        self._counts[worker] = 0

    @property
    def total(self) -> int:
        """The streams of all workers."""
        return sum(self._counts)
