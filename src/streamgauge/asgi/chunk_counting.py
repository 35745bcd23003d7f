"""The number of chunks in each body message, by the protocol that the catalog has for the content type.

A chunk is what the app produced: an SSE event, an NDJSON line, a multipart part; of any other body, one message. The
usual message holds exactly one, which its first and last bytes show; all others are read line by line.
"""

import re
from abc import ABC, abstractmethod

from streamgauge.catalog import effective_type, protocol_of

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

    @classmethod
    def of(cls, content_type: str) -> "ChunkCounter":  # noqa: ARG003 - subclasses need its parameters
        """Return the counter of a response."""
        return cls()

    @abstractmethod
    def count(self, body: bytes, /) -> int:
        """Return how many chunks end in ``body``, the next bytes of the stream; 0 for a part of one."""

    def heartbeats(self) -> int:
        """Return how many heartbeats were read since the last call."""
        return 0

    def close(self) -> int:
        """Return how many chunks the stream's end completes."""
        return 0


class MessageCounter(ChunkCounter):
    """Raw bodies: a message is a chunk."""

    __slots__ = ()

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
    _BYTE_ORDER_MARK = b"\xef\xbb\xbf"
    #: How much of an unfinished line is needed to recognise its field.
    _PREFIX_BYTES = 9

    def __init__(self) -> None:
        self._line = b""
        self._after_cr = False
        self.between = True
        self._data = self._comment = self._field = False
        self._heartbeats = 0

    def count(self, body: bytes) -> int:
        """Return how many events end in ``body``."""
        text = body.rstrip(b"\n")
        if self.between and _LINE_FEED not in text and _CARRIAGE_RETURN not in text and body[len(text) :] == b"\n\n":
            if text[:5] == b"data:":  # most messages are one event of one line
                return 1
            return self._read(body)
        lines = body.splitlines()  # at LF, CR and CRLF, as the standard says
        last = len(lines) - 1
        if self.between and last and not lines[last] and lines.index(b"") == last and lines[last - 1][:5] == b"data:":
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

    def __init__(self) -> None:
        self.between = True
        self._heartbeats = 0

    def count(self, body: bytes) -> int:
        """Return how many lines end in ``body``, without blank ones."""
        if body.find(b"\n") == len(body) - 1 and not (self.between and not body.strip(_BLANK)):
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


class PartCounter(ChunkCounter):
    """Multipart: a delimiter that starts a part is a chunk (RFC 2046, section 5.1.1)."""

    between = False

    __slots__ = ("_delimiter", "_longest_tail", "_tail")

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = re.compile(re.escape(b"--" + boundary) + b"(..)", re.DOTALL)
        self._longest_tail = len(boundary) + 3
        self._tail = b""

    @classmethod
    def of(cls, content_type: str) -> ChunkCounter:
        """Return the counter for the boundary in ``content_type``; a counter of messages if there is none."""
        found = re.search(r'boundary=(?:"([^"]+)"|([^";,]+))', content_type, re.IGNORECASE)
        return cls((found[1] or found[2]).strip(" \t").encode("latin-1")) if found else MessageCounter()

    def count(self, body: bytes) -> int:
        """Return how many parts start in ``body``. The closing delimiter, which two hyphens follow, starts none."""
        text = self._tail + body
        begun = end = 0
        for match in self._delimiter.finditer(text):
            begun += match[1] != b"--"
            end = match.end()
        self._tail = text[max(end, len(text) - self._longest_tail) :]
        return begun


#: The counters of the protocols whose chunks are not messages.
COUNTERS: dict[str, type[ChunkCounter]] = {"sse": EventCounter, "ndjson": LineCounter, "multipart": PartCounter}


def counter_of(protocol: str) -> type[ChunkCounter]:
    """Return the class that counts the chunks of ``protocol``."""
    return COUNTERS.get(protocol, MessageCounter)


def counter_for(content_type: str, content_encoding: str) -> ChunkCounter:
    """Return the counter for a response. In a compressed response only messages can be counted."""
    if content_encoding not in ("", "identity"):
        return MessageCounter()
    return counter_of(protocol_of(content_type)).of(effective_type(content_type))
