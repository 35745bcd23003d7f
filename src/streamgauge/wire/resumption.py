"""Where an event stream can be taken up again, as the WHATWG HTML standard, sections 9.2.3 and 9.2.6, has it.

1. An ``id`` counts once its block is closed by an empty line, whether or not the block holds an event. An empty one
   takes back what came before; one with NUL is ignored.
2. A ``retry`` counts as soon as its line has ended.
"""

from streamgauge.wire.sse import SseDecoder


class ResumableSseDecoder(SseDecoder):
    """An ``SseDecoder`` that remembers the last event's id and the reconnection time. It looks into every block."""

    #: The id of the last block that had one; None where none had.
    last_event_id: str | None = None
    _retry_ms: int | None = None

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """See ``SseDecoder``."""
        self.between_blocks = False  # all blocks go the way that passes ``_events``
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
        """The reconnection time that the stream asked for last; None where it asked for none."""
        lines, _, _ = b"".join(self._held).rpartition(b"\n")  # of a block that nothing closed
        held_ms = self.parse(lines).retry_ms
        return self._retry_ms if held_ms is None else held_ms
