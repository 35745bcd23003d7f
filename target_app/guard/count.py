"""The number of running streams over all workers, in shared memory."""

import mmap

_ENTRY_BYTES = 8


class StreamCount:
    """One number for each worker, in memory that processes share if they are forked after it is made.

    Two workers that admit a stream at the same moment may both take the last place, so a limit can be exceeded by the
    number of workers less one.
    """

    def __init__(self, workers: int = 1) -> None:
        self._counts = memoryview(mmap.mmap(-1, workers * _ENTRY_BYTES)).cast("q")
        self._own = 0

    def take(self, worker: int) -> None:
        """Make this process that worker, with no streams yet."""
        self._own = worker
        self._counts[worker] = 0

    def add(self, number: int) -> None:
        """Count streams that started (or ended, if negative) in this worker."""
        self._counts[self._own] += number

    def clear(self, worker: int) -> None:
        """Forget the streams of a worker that died."""
        self._counts[worker] = 0

    @property
    def total(self) -> int:
        """The number of streams of all workers."""
        return sum(self._counts)
