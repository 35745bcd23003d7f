"""The body of one response on its way to chunks: framing, content coding, decoder, timer and judge in a row."""

from streamgauge.client.connect.stamped_socket import READ_BYTES
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.chunk_checks import ChunkChecks, Settled, in_band_error
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.coding import MAX_PIECE_BYTES, ContentDecoder, coding_for
from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head

#: A read as large as this may have left something behind in the kernel, which can have come long before the next read.
LARGE_READ_BYTES = READ_BYTES // 2


class BodyReader:
    """Feeds what was read through framing and decoder, and times the chunks that come out."""

    def __init__(
        self, plan: StreamPlan, head: Head, wire_format: Format, framing: Framing, stats: StreamStats, timer: ChunkTimer
    ) -> None:
        self.max_chunk_bytes = plan.limits.max_chunk_bytes
        self.format = wire_format
        self.framing = framing
        # A content coding is one of HTTP: what is sent after an upgrade has none.
        coding = "" if wire_format.upgrade else head.fields.get("content-encoding", "")
        # One read may hold many chunks, so the limit of one chunk does not limit what a read decodes to.
        self._coding = coding_for(coding, max(self.max_chunk_bytes, MAX_PIECE_BYTES))
        self.decoder = wire_format.decoder(
            BodyDescription(
                head.fields.get("content-type", ""),
                self.max_chunk_bytes,
                framing.has_transfer_chunks,
                resumable=plan.reconnect > 0,
            )
        )
        #: A chunk is what a transfer chunk decodes to, which may be nothing.
        self._by_transfer_chunk = self.coded and wire_format.by_transfer_chunk and framing.has_transfer_chunks
        self.checks = ChunkChecks(plan, wire_format, self.decoder, timer)
        self.bytes = 0
        #: The last read with some of a chunk that is still held: its arrival, its floor, and whether it ended with it.
        self._last = (0, 0, False)
        self.left_behind = False
        self._stats = stats
        self._timer = timer
        self._tells_beside_chunks = wire_format.tells_beside_chunks

    @property
    def coded(self) -> bool:
        """Whether the body has a content coding."""
        return self._coding is not None

    @property
    def heartbeats(self) -> int:
        """What came that kept the stream open and is no chunk."""
        return self.decoder.heartbeats + self.framing.heartbeats

    def feed(self, data: bytes, arrival_ns: int, clock: ArrivalClock, *, beyond: bool = False) -> Settled | None:
        """Take in one read that arrived at ``arrival_ns``; how the stream ended, where it did.

        ``beyond``: what arrived then was the beginning of more than was read.
        """
        left_behind, self.left_behind = self.left_behind, len(data) > LARGE_READ_BYTES
        framing, decoder, problem = self.framing, self.decoder, None
        try:
            pieces = framing.feed(data)
        except ProtocolError as error:
            pieces, problem = error.before, error
        if pieces:
            size_bytes = len(pieces[0]) if len(pieces) == 1 else sum(map(len, pieces))
            self.bytes += size_bytes
            self._stats.bytes += size_bytes
        if self._coding is not None:
            pieces, problem = self._decoded(self._coding, pieces, problem)
        try:
            chunks = decoder.feed(pieces, framing.partial and problem is None)
        except ProtocolError as error:
            chunks, problem = error.before, error
        if self._by_transfer_chunk:
            chunks = [chunk for chunk in chunks if chunk]
        pending = decoder.pending
        beyond = beyond or framing.beyond or (framing.ending and self._stats.ends_late)
        if pending and pieces:
            self._last = (arrival_ns, 0 if left_behind else clock.floor_ns, not beyond)
        if chunks:
            first = self._timer.chunks + 1
            self._count_sizes(chunks)
            self._time(len(chunks), 0 if left_behind else clock.floor_ns, arrival_ns, exact=not (pending or beyond))
            if settled := self.checks.look(chunks, first):
                return settled
        if self._tells_beside_chunks and (settled := self.checks.after_read()):
            return settled
        if problem is not None:
            return Outcome.PROTOCOL_ERROR, str(problem)
        if framing.ending:
            self._note_end(arrival_ns, alone=not pieces)
        return self.close() if framing.finished else None

    def _note_end(self, arrival_ns: int, *, alone: bool) -> None:
        """The framing that closes the body arrived, ``alone`` or in one read with some of the body."""
        if self._timer.chunks:
            self._stats.note_end(arrival_ns - max(self._timer.last_ns, self._last[0]) if alone else 0)

    def _count_sizes(self, chunks: list[bytes]) -> None:
        self._stats.chunk_sizes.record_all([len(chunk) for chunk in chunks])

    def _decoded(
        self, coding: ContentDecoder, pieces: list[bytes], problem: ProtocolError | None
    ) -> tuple[list[bytes], ProtocolError | None]:
        """What the pieces decode to, as far as they do, and what is wrong then."""
        decoded: list[bytes] = []
        try:
            decoded.extend(coding.feed(piece) for piece in pieces)
        except ProtocolError as error:
            problem = error
        return decoded if self._by_transfer_chunk else [plain for plain in decoded if plain], problem

    def close(self) -> Settled:
        """The peer closed, or the framing finished: how the stream ended."""
        if not self.framing.close() and not self.said_goodbye:
            return Outcome.TRUNCATED, "the connection was closed inside the body"
        if self._coding is not None and not self._coding.close():
            return Outcome.TRUNCATED, "the body ended inside its content coding"
        first, chunks = self._timer.chunks + 1, self.decoder.close()
        if chunks:
            self._count_sizes(chunks)
            self._time_last(len(chunks))
            if settled := self.checks.look(chunks, first):
                return settled
        return self._judged()

    @property
    def said_goodbye(self) -> bool:
        """Whether the client itself has closed the stream, after its named end: it lacks nothing then."""
        return self.checks.named_end_came and self.framing.two_way is not None

    def _judged(self) -> Settled:
        if error := self.framing.error:
            return in_band_error(error)
        if reason := self._shortfall():
            return Outcome.INCOMPLETE, reason
        return Outcome.COMPLETED, ""

    def _shortfall(self) -> str:
        """Say what a body that ended cleanly lacks; empty where it lacks nothing."""
        named_end_came = self.checks.named_end_came
        reason = self.framing.shortfall(named_end_came=named_end_came)
        if not reason and self.framing.has_body:
            reason = self.decoder.shortfall(named_end_came=named_end_came)
        if not reason and not self.checks.end_seen:
            reason = "the body ended cleanly, and the named end had not come"
        return reason

    def _time_last(self, count: int) -> None:
        """Time what only the end of the body completed: it arrived with the last of the body, not with its end."""
        arrival_ns, floor_ns, exact = self._last
        self._time(count, floor_ns, arrival_ns, exact=exact)

    def _time(self, count: int, floor_ns: int, arrival_ns: int, *, exact: bool) -> None:
        """Time the chunks of one read; ``exact``: the last of them arrived at ``arrival_ns``."""
        if exact and count == 1:
            self._timer.chunk(arrival_ns)
        else:
            self._timer.coalesced_chunks(count, floor_ns, arrival_ns, last_is_exact=exact)
