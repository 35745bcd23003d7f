"""The text that the streams carry: an account of a river, in ASCII and without quotation marks."""

from pathlib import Path

#: No chunk is larger.
LONGEST_CHUNK_BYTES = 1 << 20

TEXT = (Path(__file__).with_name("river.txt")).read_text("ascii") + "\n"
#: One line, fit to stand inside a JSON string as it is.
LINE = " ".join(TEXT.split()) + " "


class Endless:
    """Content that begins again where it ends, so that any piece of it is one slice."""

    def __init__(self, content: bytes) -> None:
        self._period_bytes = len(content)
        self._copies = content * (LONGEST_CHUNK_BYTES // len(content) + 2)

    def piece(self, offset: int, size_bytes: int) -> bytes:
        """``size_bytes`` bytes, at most a chunk's, from any ``offset`` on."""
        start = offset % self._period_bytes
        return self._copies[start : start + size_bytes]
