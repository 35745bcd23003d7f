"""The text in the streams: a description of a river, in ASCII and without quotation marks."""

from pathlib import Path

#: The largest chunk.
LONGEST_CHUNK_BYTES = 1 << 20

TEXT = (Path(__file__).with_name("river.txt")).read_text("ascii") + "\n"
#: One line that needs no escapes in a JSON string.
LINE = " ".join(TEXT.split()) + " "


class Repeating:
    """Content that starts again at its end, so that any piece of it is one slice."""

    def __init__(self, content: bytes) -> None:
        self._period_bytes = len(content)
        self._copies = content * (LONGEST_CHUNK_BYTES // len(content) + 2)

    def piece(self, offset: int, size_bytes: int) -> bytes:
        """Cut a piece of up to the largest chunk from any ``offset`` on."""
        start = offset % self._period_bytes
        return self._copies[start : start + size_bytes]
