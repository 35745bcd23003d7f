"""The body of one response on its way to chunks: framing, decoder and named end, set up once the head is known."""

from streamgauge.client.plan import StreamPlan
from streamgauge.client.socket import READ_BYTES
from streamgauge.client.timing import ChunkTimer
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.tally import Tally
from streamgauge.wire.decoder import DECODERS, Decoder
from streamgauge.wire.end import EndTest, end_test
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1 import Framing, Head, framing_of
from streamgauge.wire.raw import RawDecoder

#: A read as large as this may have left something behind in the kernel, which can have come long before the next read.
_LARGE_READ_BYTES = READ_BYTES // 2


class BodyReader:
    """Feeds what was read through framing and decoder, and times the chunks that come out."""

    def __init__(self, plan: StreamPlan, head: Head, protocol: str, tally: Tally, timer: ChunkTimer) -> None:
        self.framing: Framing = framing_of(head, plan.request.method)
        self.decoder = _decoder(protocol, self.framing, plan.limits.max_chunk_bytes)
        self.end_seen = plan.end is None
        self.bytes = 0
        #: The last read with some of the body in it: its arrival, its floor, and whether it ended with the body's part.
        self._last = (0, 0, False)
        self._left_behind = False
        self._tally = tally
        self._timer = timer
        self._on_chunk = plan.on_chunk
        self._end: EndTest | None = None if plan.end is None else end_test(plan.end, self.decoder, protocol)
        self._error_event = b"error" if protocol == "sse" else None
        self._looks = self._end is not None or self._on_chunk is not None or self._error_event is not None

    def feed(self, data: bytes, arrival_ns: int, clock: ArrivalClock) -> tuple[Outcome, str] | None:
        """Take in one read that arrived at ``arrival_ns``; the outcome, with its reason, where it settles that."""
        floor_ns = 0 if self._left_behind else clock.floor_ns
        self._left_behind = len(data) > _LARGE_READ_BYTES
        framing, problem = self.framing, None
        try:
            pieces = framing.feed(data)
        except ProtocolError as error:
            pieces, problem = error.before, error
        try:
            chunks = self.decoder.feed(pieces, framing.partial)
        except ProtocolError as error:
            chunks, problem = error.before, error
        alone = not (framing.beyond or self.decoder.pending)
        if pieces:
            size_bytes = sum(map(len, pieces))
            self.bytes += size_bytes
            self._tally.bytes += size_bytes
            self._last = (arrival_ns, floor_ns, not framing.beyond)
        if chunks:
            if alone and len(chunks) == 1:
                self._timer.chunk(arrival_ns)
            else:
                self._timer.coalesced_chunks(len(chunks), floor_ns, arrival_ns, last_is_exact=alone)
            if self._looks and (settled := self._look_inside(chunks)):
                return settled
        return None if problem is None else (Outcome.PROTOCOL_ERROR, str(problem))

    def close(self) -> tuple[Outcome, str]:
        """The peer closed, or the framing finished: how the stream ended."""
        if not self.framing.close():
            return Outcome.TRUNCATED, "the connection was closed inside the body"
        chunks = self.decoder.close()
        if chunks:
            self._time_last(len(chunks))
            if self._looks and (settled := self._look_inside(chunks)):
                return settled
        if not self.end_seen:
            return Outcome.INCOMPLETE, "the body ended cleanly, and the named end had not come"
        return Outcome.COMPLETED, ""

    def _time_last(self, count: int) -> None:
        """Time what only the end of the body completed: it arrived with the last of the body, not with its end."""
        arrival_ns, floor_ns, exact = self._last
        if exact and count == 1:
            self._timer.chunk(arrival_ns)
        else:
            self._timer.coalesced_chunks(count, floor_ns, arrival_ns, last_is_exact=exact)

    def _look_inside(self, chunks: list[bytes]) -> tuple[Outcome, str] | None:
        number = self._timer.chunks - len(chunks)
        for chunk in chunks:
            number += 1
            if self._end is not None and not self.end_seen:
                self.end_seen = self._end(chunk, number)
            if self._on_chunk is not None and self._on_chunk(self.decoder.parse(chunk)) is False:
                return Outcome.ABORTED, "the scenario hung up"
            if self._error_event is not None and self._error_event in chunk and _is_error(self.decoder, chunk):
                return Outcome.IN_BAND_ERROR, f"the stream said: {self.decoder.parse(chunk).data[:120]}"
        return None


def _decoder(protocol: str, framing: Framing, max_chunk_bytes: int) -> Decoder:
    if protocol == "raw":
        return RawDecoder(max_chunk_bytes, transfer_chunks=framing.has_transfer_chunks)
    return DECODERS[protocol](max_chunk_bytes)


def _is_error(decoder: Decoder, chunk: bytes) -> bool:
    return bool(decoder.parse(chunk).event == "error")
