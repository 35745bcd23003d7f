"""Message bodies that are known to be exactly one chunk: apps often send the same bytes to many clients, or again."""

from collections.abc import Callable

_NOTHING: dict[bytes, int] = {}
#: A lookup that finds no body.
find_none: Callable[[bytes], int | None] = _NOTHING.get


class KnownBodies:
    """The bodies of one (route, protocol) that are one chunk each, if they start between two chunks.

    Python caches the hash of bytes, so one dictionary lookup replaces parsing them. ``review`` notices when bodies do
    not repeat, and then none are added for a while.
    """

    #: Hashing a larger body costs more than the lookup saves.
    MAX_BODY_BYTES = 1024
    #: When so many are known, all are dropped.
    MAX_BODIES = 512
    #: How many bodies are skipped after a review found that bodies do not repeat.
    PAUSE_BODIES = 100_000

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}
        self._added = self._left_to_skip = 0
        self.find: Callable[[bytes], int | None] = self._sizes.get
        """Returns the size of a known body, else None. Raises ``TypeError`` for a body that is not hashable."""

    def add(self, body: bytes) -> None:
        """Add a body that was parsed and found to be one chunk."""
        self._added += 1
        if len(self._sizes) >= self.MAX_BODIES:
            self._sizes.clear()
        self._sizes[body] = len(body)

    def skip_next(self) -> bool:
        """Return whether to skip the next body. A pause ends after ``PAUSE_BODIES`` calls."""
        if not self._left_to_skip:
            return False
        self._left_to_skip -= 1
        if not self._left_to_skip:
            self.find = self._sizes.get
        return True

    def review(self, chunks: int) -> None:
        """Start a pause if most of the last ``chunks`` were not known."""
        if not self._left_to_skip and self._added > max(self.MAX_BODIES, chunks / 2):
            self._left_to_skip = self.PAUSE_BODIES
            self.find = find_none
            self._sizes.clear()
        self._added = 0
