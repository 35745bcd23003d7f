"""The body of one response on its way to chunks: framing, decoder and named end, set up once the head is known."""

from streamgauge.client.plan import StreamPlan
from streamgauge.client.timing import ChunkTimer
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.tally import Tally
from streamgauge.wire.decoder import DECODERS, Decoder
from streamgauge.wire.end import EndTest, end_test
from streamgauge.wire.http1 import Framing, Head, framing_of
from streamgauge.wire.raw import RawDecoder


class BodyReader:
    """Feeds what was read through framing and decoder, and times the chunks that come out."""

    def __init__(self, plan: StreamPlan, head: Head, protocol: str, tally: Tally, timer: ChunkTimer) -> None:
        self.framing: Framing = framing_of(head, plan.request.method)
        self.decoder = _decoder(protocol, self.framing, plan.limits.max_chunk_bytes)
        self.end_seen = plan.end is None
        self.bytes = 0
        self._tally = tally
        self._timer = timer
        self._on_chunk = plan.on_chunk
        self._end: EndTest | None = None if plan.end is None else end_test(plan.end, self.decoder, protocol)
        self._error_event = b"error" if protocol == "sse" else None
        self._looks = self._end is not None or self._on_chunk is not None or self._error_event is not None

    def feed(self, data: bytes, arrival_ns: int, clock: ArrivalClock) -> tuple[Outcome, str] | None:
        """Take in one read that arrived at ``arrival_ns``; the outcome, with its reason, where it settles that."""
        framing = self.framing
        pieces = framing.feed(data)
        for piece in pieces:
            self.bytes += len(piece)
            self._tally.bytes += len(piece)
        chunks = self.decoder.feed(pieces, framing.partial)
        if framing.finished:
            chunks = [*chunks, *self.decoder.close()]
        if not chunks:
            return None
        alone = not (framing.finished or self.decoder.pending)
        if alone and len(chunks) == 1:
            self._timer.chunk(arrival_ns)
        else:
            self._timer.coalesced_chunks(len(chunks), clock.floor_ns, arrival_ns, last_is_exact=alone)
        return self._look_inside(chunks) if self._looks else None

    def close(self, arrival_ns: int) -> tuple[Outcome, str]:
        """The peer closed, or the framing finished: how the stream ended."""
        if not self.framing.finished:
            whole = self.framing.close()
            chunks = self.decoder.close() if whole else []
            for _ in chunks:
                self._timer.chunk(arrival_ns)
            if chunks and self._looks and (settled := self._look_inside(chunks)):
                return settled
            if not whole:
                return Outcome.TRUNCATED, "the connection was closed inside the body"
        if not self.end_seen:
            return Outcome.INCOMPLETE, "the body ended cleanly, and the named end had not come"
        return Outcome.COMPLETED, ""

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
