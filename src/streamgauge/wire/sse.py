"""Server-Sent Events as the WHATWG HTML standard, section 9.2.6, has them.

1. Line ends are made one kind (CRLF, CR and LF all end a line, however reads split them) and a leading BOM is dropped.
2. Blocks between empty lines are cut out; a block that holds a ``data`` field is an event, which is a chunk.
3. A block is parsed into its fields only when somebody looks inside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from streamgauge.wire.errors import ProtocolError

MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_RETRY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``event`` is ``message`` where the stream names none; ``id`` is None where it has none."""

    event: str
    data: str
    id: str | None = None
    retry_ms: int | None = None


class SseDecoder:
    """Bytes of an event stream in, event blocks out. Blocks without ``data`` are heartbeats if they are comments."""

    def __init__(self, max_chunk_bytes: int = MAX_EVENT_BYTES) -> None:
        self.heartbeats = 0
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._after_cr = False
        self._at_start = True
        self.max_chunk_bytes = max_chunk_bytes
        #: Part of an event is held, or a heartbeat came after the last event.
        self.pending = False
        #: The next byte begins a block, and needs no care for what came before it.
        self.between_blocks = False

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - events ignore transfer chunks
        """The event blocks that ``pieces`` complete, line ends normalised, without their closing empty line."""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if (  # most reads are one whole event, with plain line ends
            self.between_blocks
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
            self.between_blocks = not (self._held or self._after_cr or self._at_start)
        return chunks

    def _blocks(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The events that ``data`` completes, and the last block where that is none."""
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
        if self._held_bytes > self.max_chunk_bytes + 1:  # its last line end is no part of it
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
        if b"\n:" in block or block[:1] == b":":
            self.heartbeats += 1
        return False

    def close(self) -> list[bytes]:
        """Nothing: the standard discards an event that no empty line closed."""
        return []

    @staticmethod
    def parse(chunk: bytes) -> Event:
        """The fields of an event block. Undecodable UTF-8 becomes U+FFFD, as the standard asks."""
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
            elif field == "retry" and _RETRY.fullmatch(value):
                retry_ms = int(value)
        return Event(name or "message", "\n".join(data), event_id, retry_ms)
