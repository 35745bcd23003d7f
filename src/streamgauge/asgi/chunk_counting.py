"""The number of chunks in each body message. A chunk is what the app produced: an event, a line, or a message.

The usual message holds exactly one chunk, which is cheap to recognise (``ChunkCounter.whole``); all others are read
line by line. ``counters`` chooses the counter of a response.
"""

from abc import ABC, abstractmethod

_LINE_FEED, _CARRIAGE_RETURN = b"\n\r"
#: The white space of JSON (RFC 8259 section 2): a line of nothing else is blank.
_BLANK = b" \t\r\n"


class ChunkCounter(ABC):
    """A counter of the chunks of one stream."""

    __slots__ = ()

    #: Whether the stream is between two chunks, so that the next message can be judged by itself.
    between = True
    #: How many bytes end each chunk and are not part of it: an event's blank line, a line's newline.
    closing_bytes = 0
    #: Whether ``count`` of a body depends on nothing but its bytes as long as ``between`` holds.
    repeatable = False

    @classmethod
    def of(cls, content_type: str) -> "ChunkCounter":  # noqa: ARG003 - subclasses need its parameters
        """Return the counter of a response."""
        return cls()

    @abstractmethod
    def count(self, body: bytes, /) -> int:
        """Return how many chunks end in ``body``, the next bytes of the stream; 0 for a part of one."""

    @staticmethod
    def whole(_body: bytes, /) -> int:
        """Return the size of ``body`` if it is certainly one chunk in a stream that is between two, else 0."""
        return 0

    def heartbeats(self) -> int:
        """Return how many heartbeats were read since the last call."""
        return 0

    def close(self) -> int:
        """Return how many chunks the stream's end completes."""
        return 0


class MessageCounter(ChunkCounter):
    """Raw bodies: a message is a chunk."""

    __slots__ = ()

    @staticmethod
    def whole(body: bytes, /) -> int:
        """Return the size of ``body``."""
        return len(body)

    def count(self, _body: bytes, /) -> int:
        """Return 1: a message is one chunk, whatever it holds."""
        return 1


class EventCounter(ChunkCounter):
    """Server-Sent Events: a block that ends in a blank line and holds a ``data`` field is a chunk.

    A block of comments alone is a heartbeat. A block with other fields only is neither: clients dispatch no event
    (https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage).
    """

    __slots__ = ("_after_cr", "_comment", "_data", "_field", "_heartbeats", "_line", "between")

    closing_bytes = 2
    repeatable = True
    _BYTE_ORDER_MARK = b"\xef\xbb\xbf"
    #: How much of an unfinished line is needed to recognise its field.
    _PREFIX_BYTES = 9

    def __init__(self) -> None:
        self._line = b""
        self._after_cr = False
        self.between = True
        self._data = self._comment = self._field = False
        self._heartbeats = 0

    @staticmethod
    def whole(body: bytes, /) -> int:
        """Return the size of one event with a ``data`` field, else 0."""
        if _CARRIAGE_RETURN in body:
            return EventCounter._whole_with_cr(body)
        parts = body.split(b"\n\n", 2)
        if len(parts) != 2 or parts[1]:
            return 0
        head = parts[0]
        return len(body) if head[:5] == b"data:" or head.find(b"\ndata:") > 0 else 0

    @staticmethod
    def _whole_with_cr(body: bytes) -> int:
        if body[-1] != _LINE_FEED:
            return 0  # an LF may follow the CR
        lines = body.splitlines()  # at LF, CR and CRLF, as the standard says
        last = len(lines) - 1
        if last < 1 or lines[last] or lines.index(b"") != last:
            return 0
        return len(body) if lines[last - 1][:5] == b"data:" or lines[0][:5] == b"data:" else 0

    def count(self, body: bytes, /) -> int:
        """Return how many events end in ``body``."""
        if self.between and self.whole(body):
            return 1
        return self._read(body)

    def heartbeats(self) -> int:
        """Return how many blocks of comments alone have ended since the last call."""
        seen, self._heartbeats = self._heartbeats, 0
        return seen

    def _read(self, body: bytes) -> int:
        text = body[1:] if self._after_cr and body.startswith(b"\n") else body
        self._after_cr = body.endswith(b"\r")
        lines = (self._line + text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        self._line = lines.pop()[: self._PREFIX_BYTES]
        events = sum(self._end_block() if not line else self._read_line(line) for line in lines)
        self.between = not (self._line or self._after_cr or self._data or self._comment or self._field)
        return events

    def _read_line(self, line: bytes) -> int:
        line = line.removeprefix(self._BYTE_ORDER_MARK)
        if line.startswith(b":"):
            self._comment = True
        else:
            self._field = True
            self._data = self._data or line == b"data" or line.startswith(b"data:")
        return 0

    def _end_block(self) -> int:
        event = int(self._data)
        self._heartbeats += self._comment and not self._field
        self._data = self._comment = self._field = False
        return event


class LineCounter(ChunkCounter):
    """NDJSON and similar formats: a line that is not blank is a chunk, a blank line is a heartbeat."""

    __slots__ = ("_heartbeats", "between")

    closing_bytes = 1
    repeatable = True

    def __init__(self) -> None:
        self.between = True
        self._heartbeats = 0

    @staticmethod
    def whole(body: bytes, /) -> int:
        """Return the size of one line that is not blank, else 0."""
        size_bytes = len(body)
        return size_bytes if body.find(b"\n") == size_bytes - 1 and body.strip(_BLANK) else 0

    def count(self, body: bytes, /) -> int:
        """Return how many lines end in ``body``, without blank ones."""
        if self.whole(body):
            self.between = True
            return 1
        *ended, rest = body.split(b"\n")
        chunks = 0
        for line in ended:
            full = not self.between or bool(line.strip(_BLANK))
            chunks += full
            self._heartbeats += not full
            self.between = True
        self.between = self.between and not rest.strip(_BLANK)
        return chunks

    def heartbeats(self) -> int:
        """Return how many blank lines were read since the last call."""
        seen, self._heartbeats = self._heartbeats, 0
        return seen

    def close(self) -> int:
        """Return 1 if the last line has no newline: readers accept such a line."""
        return int(not self.between)
