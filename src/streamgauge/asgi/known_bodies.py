"""Message bodies that are known to be exactly one chunk: apps often send the same bytes to many clients, or again."""

from collections.abc import Callable


def find_none(_body: bytes) -> int:
    """Find no body. A lookup in an empty dictionary would still hash the body."""
    return 0


class KnownBodies:
    """The bodies of one (route, protocol) that are one chunk each, if they start between two chunks.

    Python caches the hash of bytes, so one dictionary lookup replaces parsing them. While bodies do not repeat, there
    is a pause, in which streams recognise their chunks without hashing them (``ChunkCounter.whole``).
    """

    #: Hashing a larger body costs more than the lookup saves.
    MAX_BODY_BYTES = 1024
    #: When so many are known, all are dropped, and a pause starts if most chunks had to be added.
    MAX_BODIES = 512
    #: For how many chunks a pause lasts, after a review found that bodies do not repeat.
    PAUSE_CHUNKS = 100_000

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}
        self._added = self._left_to_skip = 0
        self.find: Callable[[bytes], int | None] = self._sizes.get
        """Returns the size of a known body, else None. Raises ``TypeError`` for a body that is not hashable."""

    @property
    def paused(self) -> bool:
        """Whether bodies are neither looked up nor added now."""
        return self._left_to_skip > 0

    def add(self, body: bytes, chunks: int) -> None:
        """Add a body that was parsed and found to be one of the ``chunks`` since the last review."""
        self._added += 1
        if len(self._sizes) >= self.MAX_BODIES:
            self._sizes.clear()
            if self._added > chunks / 3:  # adding a body costs twice what finding it saves
                self._left_to_skip = self.PAUSE_CHUNKS
                return
        self._sizes[body] = len(body)

    def review(self, chunks: int) -> None:
        """Begin to count again which of the chunks are known, after ``chunks`` chunks."""
        self._left_to_skip = max(0, self._left_to_skip - chunks)
        self._added = 0
