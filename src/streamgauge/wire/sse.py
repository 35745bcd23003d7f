"""Server-Sent Events as in the WHATWG HTML standard, section 9.2.6.

1. CRLF and CR become LF (all three end a line, however reads split them), and a leading BOM is dropped.
2. Blocks are cut out at empty lines; a block with a ``data`` field is an event, which is a chunk.
3. A block is parsed into its fields only if its content is needed.

To resume on another connection, by the standard's sections 9.2.3 and 9.2.6:

- An ``id`` counts once an empty line closes its block, whether or not the block is an event. An empty ``id`` cancels an
  earlier one; an ``id`` with NUL is ignored.
- A ``retry`` counts as soon as its line has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, BodyDescription, Decoder, Resumption
from streamgauge.wire.digits import whole_number
from streamgauge.wire.error_object import ErrorObject
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.rules import EventIs, Rules

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``event`` is ``message`` if the stream gives no name; ``id`` is None if it gives no id."""

    event: str
    data: str
    id: str | None = None
    retry_ms: int | None = None


class SseDecoder(Decoder):
    """Cuts an event stream into event blocks. A block with only comments is a heartbeat."""

    #: Whether part of an event is held, or a heartbeat came after the last event.
    pending = False
    #: Whether a block of a single field ``error`` is an event too, as some model servers report an error.
    has_error_lines = False

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._after_cr = False
        self._at_start = True
        self.max_chunk_bytes = max_chunk_bytes

    @property
    def unfinished(self) -> bool:
        """See ``Decoder``."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - events ignore transfer chunks
        """Return the event blocks that ``pieces`` complete, with LF line ends and without the closing empty line."""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if (  # most reads are one whole event, with plain line ends
            self.between_chunks
            and data.find(b"\n\n") == len(data) - 2
            and (data.startswith(b"data:") or (b"\ndata:" in data and data[:1] != b"\n"))
            and b"\r" not in data
            and 2 < len(data) <= self.max_chunk_bytes
        ):
            self.pending = False
            return [data[:-2]]
        last = b""
        try:
            chunks, last = self._blocks(data)
        finally:
            self.pending = bool(self._held) or last != b""
            self.between_chunks = not (self._held or self._after_cr or self._at_start)
        return chunks

    def _blocks(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the events that ``data`` completes, and the last block if it is not an event."""
        if self._at_start:
            data = self._without_bom(data)
        if b"\r" in data or self._after_cr:
            data = self._with_lf_only(data)
        if self._held:
            closes = b"\n\n" in data or (data[:1] == b"\n" and self._held[-1][-1:] == b"\n")
            if not closes:
                self._hold(data)
                return [], b""
            self._held.append(data)
            data = b"".join(self._held)
            self._held.clear()
            self._held_bytes = 0
        if data[-2:] == b"\n\n":
            return self._events(data[:-2])
        whole, found, rest = data.rpartition(b"\n\n")
        chunks, last = self._events(whole) if found else ([], b"")
        self._hold(rest, chunks)
        return chunks, last

    def _events(self, whole: bytes) -> tuple[list[bytes], bytes]:
        blocks = whole.split(b"\n\n")
        short = len(blocks)
        if len(whole) > self.max_chunk_bytes:
            short = next((i for i, b in enumerate(blocks) if len(b.strip(b"\n")) > self.max_chunk_bytes), short)
        last, chunks = b"", []
        for block in blocks[:short]:
            last = block.strip(b"\n")
            if last.startswith(b"data:") or self._is_event(last):
                chunks.append(last)
        if short < len(blocks):
            raise self._too_long(chunks)
        return chunks, b"" if chunks and chunks[-1] is last else last

    def _hold(self, data: bytes, before: Sequence[bytes] = ()) -> None:
        if not self._held:
            data = data.lstrip(b"\n")  # empty lines between events
        if not data:
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self.max_chunk_bytes + 1:  # its last line end does not count
            raise self._too_long(before)

    def _too_long(self, before: Sequence[bytes]) -> ProtocolError:
        return ProtocolError(f"event longer than {self.max_chunk_bytes} bytes", before)

    def _without_bom(self, data: bytes) -> bytes:
        data = b"".join(self._held) + data
        self._held.clear()
        self._held_bytes = 0
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._hold(data)
            return b""
        self._at_start = False
        return data.removeprefix(_BOM)

    def _with_lf_only(self, data: bytes) -> bytes:
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _is_event(self, block: bytes) -> bool:
        if b"\ndata:" in block or b"data" in block.split(b"\n"):
            return True
        if self.has_error_lines and block.startswith(b"error:") and b"\n" not in block:
            return True
        if b"\n:" in block or block[:1] == b":":
            self.heartbeats += 1
        return False

    @staticmethod
    def parse(chunk: bytes) -> Event:
        """Return the fields of an event block. Invalid UTF-8 becomes U+FFFD, as the standard requires."""
        name, data, event_id, retry_ms = "", [], None, None
        for line in chunk.decode("utf-8", "replace").split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id" and "\0" not in value:
                event_id = value
            elif field == "retry" and (number := whole_number(value)) is not None:
                retry_ms = number
        return Event(name or "message", "\n".join(data), event_id, retry_ms)

    def event_of(self, frame: bytes) -> Event:
        """See ``Decoder``."""
        return self.parse(frame)


class ResumableSseDecoder(SseDecoder):
    """Stores the last event id and the reconnection time, for which it checks every block."""

    #: The id of the last block with an id; None before there is one.
    last_event_id: str | None = None
    _retry_ms: int | None = None

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """See ``SseDecoder``."""
        self.between_chunks = False  # so that every block passes ``_events``
        return super().feed(pieces, partial)

    def _events(self, whole: bytes) -> tuple[list[bytes], bytes]:
        if b"id" in whole or b"retry" in whole:
            for block in whole.split(b"\n\n"):
                event = self.parse(block)
                if event.id is not None:
                    self.last_event_id = event.id
                if event.retry_ms is not None:
                    self._retry_ms = event.retry_ms
        return super()._events(whole)

    @property
    def retry_ms(self) -> int | None:
        """The last reconnection time that the stream asked for; None if it asked for none."""
        lines, _, _ = b"".join(self._held).rpartition(b"\n")  # of a block that is not closed yet
        held_ms = self.parse(lines).retry_ms
        return self._retry_ms if held_ms is None else held_ms

    def resumption(self) -> Resumption:
        """See ``Decoder``."""
        return Resumption(self.last_event_id, self.retry_ms)


def _decoder(body: BodyDescription) -> Decoder:
    return (ResumableSseDecoder if body.resumable else SseDecoder)(body.max_chunk_bytes)


SSE = Format(
    "sse",
    "SSE",
    _decoder,
    media="sse",
    accept="text/event-stream",
    error=Rules((EventIs("error"), ErrorObject())),
    has_events=True,
    has_event_ids=True,
    can_reconnect=True,
    fast_path=True,
)
