"""Message bodies that are known to be exactly one chunk: the same bytes often go to many clients, or come again."""

from collections.abc import Callable

_NOTHING: dict[bytes, int] = {}
#: Knows no body.
look_nowhere: Callable[[bytes], int | None] = _NOTHING.get


class Familiar:
    """The bodies of one (route, protocol) that are one chunk each, wherever they come between two chunks.

    Python keeps the hash of bytes, so that one look replaces reading them. Where bodies do not come again, ``review``
    notices, and none are kept for a while.
    """

    #: Larger ones take longer to hash than is won.
    LARGEST_BYTES = 1024
    #: So many are kept, and then all dropped.
    MOST = 512
    #: How many pass that could have been kept, before that is tried again.
    PAUSE = 100_000

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._unknown = self._pause = 0
        self.look: Callable[[bytes], int | None] = self._known.get
        """The size of a body that is known, else None. Not to be asked of one that is not hashable."""

    def learn(self, body: bytes) -> None:
        """Keep a body that was read and found to be one chunk."""
        self._unknown += 1
        if len(self._known) >= self.MOST:
            self._known.clear()
        self._known[body] = len(body)

    def pauses(self) -> bool:
        """Whether another body is not to be kept; each call brings the end of a pause nearer."""
        if not self._pause:
            return False
        self._pause -= 1
        if not self._pause:
            self.look = self._known.get
        return True

    def review(self, chunks: int) -> None:
        """Pause if most of the last ``chunks`` were unknown."""
        if not self._pause and self._unknown > max(self.MOST, chunks / 2):
            self._pause = self.PAUSE
            self.look = look_nowhere
            self._known.clear()
        self._unknown = 0
