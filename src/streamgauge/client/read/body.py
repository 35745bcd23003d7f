"""Takes the body of one response apart into chunks: framing, content coding, decoder, timer and checks in a row."""

from collections.abc import Callable
from contextlib import suppress

from streamgauge.client.connect.stamped_socket import READ_BYTES
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.check_plan import CheckPlan
from streamgauge.client.read.chunk_checks import ChunkChecks, Ending, in_band_error
from streamgauge.client.read.conversation import AnsweringChecks, Conversation
from streamgauge.client.read.quotes import Quotes
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.coding import MAX_PIECE_BYTES, ContentDecoder, coding_for
from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.formats import shown_by
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head
from streamgauge.wire.sequence import SequenceCheck

#: A larger read may have left data behind in the kernel, which can have arrived long before the next read.
LARGE_READ_BYTES = READ_BYTES // 2
#: Count from now on under this format.
Settle = Callable[[Format], StreamStats]


class BodyReader:
    """Feeds each read through framing and decoder, and times and checks the chunks that come out.

    ``sequence`` checks chunks' numbers, if the plan has any. ``settle`` is called once if the first chunk may show
    another format than ``wire_format``; None if it may not.
    """

    def __init__(
        self,
        plan: StreamPlan,
        head: Head,
        wire_format: Format,
        framing: Framing,
        stats: StreamStats,
        timer: ChunkTimer,
        sequence: SequenceCheck | None,
        settle: Settle | None = None,
    ) -> None:
        self._plan, self._sequence, self._settle = plan, sequence, settle
        self.max_chunk_bytes = plan.limits.max_chunk_bytes
        self.format = wire_format
        self.framing = framing
        # One read may decode to many chunks. What is sent after an upgrade has no content coding, which is HTTP's.
        coding = "" if wire_format.upgrade else head.fields.get("content-encoding", "")
        self._coding = coding_for(coding, max(self.max_chunk_bytes, MAX_PIECE_BYTES)) if coding else None
        self.decoder = wire_format.decoder(
            BodyDescription(
                head.fields.get("content-type", ""),
                self.max_chunk_bytes,
                framing.has_transfer_chunks,
                resumable=plan.reconnect > 0,
                every_frame=CheckPlan.of(plan, wire_format).every_frame,
            )
        )
        #: Whether each transfer chunk is one chunk, which may decode to nothing.
        self._by_transfer_chunk = self.coded and wire_format.by_transfer_chunk and framing.has_transfer_chunks
        #: Whether the decoder's chunks need another look before they count.
        self._filters = self._by_transfer_chunk or settle is not None
        self.checks = ChunkChecks(plan, wire_format, self.decoder, timer, sequence)
        #: What the scenario says first, until it is said; None if the client cannot send.
        self.unsaid: Conversation | None = None
        #: What the scenario says on a WebSocket, as long as that is open; None if the client cannot send.
        self.conversation: Conversation | None = None
        if framing.two_way is not None:
            self.unsaid = self.conversation = Conversation(plan, framing.two_way, self.decoder)
            if self.unsaid.answers:
                self.checks = AnsweringChecks(self.unsaid, plan, wire_format, self.decoder, timer, sequence)
        self.bytes = 0
        self.quotes = Quotes()
        #: Whether more came after the chunk whose number is the named end, so that the stream goes on.
        self.goes_on = False
        #: The heartbeats up to the last read without a chunk; the chunks by then, heartbeats since the last.
        self._heartbeats, self._quiet = 0, (0, 0)
        #: The last read with part of a chunk that is not whole: its arrival, its floor, and whether that part ended it.
        self._last = (0, 0, False)
        #: Whether the last read may have left data behind in the kernel. A slow reader's does: see ``paced_reader``.
        self.left_behind = self._slow = plan.read_rate is not None
        #: Before the format is settled, counts go to statistics that nothing else reads.
        self._stats, self._timer = stats if settle is None else StreamStats(), timer

    @property
    def coded(self) -> bool:
        """Whether the body has a content coding."""
        return self._coding is not None

    @property
    def heartbeats(self) -> int:
        """How many times something came that only kept the stream open."""
        return self.decoder.heartbeats + self.framing.heartbeats + self.checks.heartbeats

    @property
    def quiet_heartbeats(self) -> int:
        """How many heartbeats came since the last chunk."""
        chunks, heartbeats = self._quiet
        return heartbeats if chunks == self._timer.chunks else 0

    def feed(
        self, data: bytes, arrival_ns: int, clock: ArrivalClock, *, beyond: bool = False, at_once: bool = False
    ) -> Ending | None:
        """Decode one read that arrived at ``arrival_ns``; return how the stream ended, if it did.

        ``beyond``: the arrival is that of data behind this read. ``at_once``: all of it came in one segment.
        """
        left_behind, self.left_behind = self.left_behind, self._slow or len(data) > LARGE_READ_BYTES
        floor_ns = arrival_ns if at_once else 0 if left_behind else clock.floor_ns
        framing, decoder, checks, problem = self.framing, self.decoder, self.checks, None
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
        cut = problem
        try:
            frames = decoder.feed(pieces, framing.partial and problem is None)
        except ProtocolError as error:
            frames, problem = error.before, error
        if self._filters and frames:
            frames, problem = self._filtered(frames, problem)
            decoder, checks = self.decoder, self.checks
        pending = decoder.pending
        beyond = beyond or framing.beyond or (framing.ending and self._stats.ends_late)
        if pending and pieces:
            self._last = (arrival_ns, floor_ns, not beyond)
        chunks = checks.sift(frames) if checks.sifts and frames else frames
        if chunks:
            self.quotes.last_frame = frames[-1]
            exact = self._slow or (not (pending or beyond) and (chunks is frames or chunks[-1] is frames[-1]))
            self._count(chunks, floor_ns, arrival_ns, exact=exact)
        else:
            self._note_quiet(pieces, frames)
        if checks.eventful:
            self._note_tokens(arrival_ns, floor_ns, exact=not beyond)
            if ending := checks.check(chunks):
                return ending
            if checks.end_came:
                problem = cut  # what the decoder cannot read comes after the end
                self.goes_on = checks.counted_out and chunks[-1] is not frames[-1]
        if problem is not None or framing.ending or framing.finished:
            return self._end_read(problem, arrival_ns, alone=not pieces)
        return None

    def feed_after_end(self, data: bytes, arrival_ns: int) -> Ending | None:
        """Decode one read after the named end: nothing in it is a chunk, and only the framing can be faulty."""
        problem = None
        try:
            pieces = self.framing.feed(data)
        except ProtocolError as error:
            pieces, problem = error.before, error
        self.bytes += sum(map(len, pieces))
        self._stats.bytes += sum(map(len, pieces))
        if self._coding is not None:
            pieces, problem = self._decoded(self._coding, pieces, problem)
        with suppress(ProtocolError):
            self.goes_on = bool(self.decoder.feed(pieces, self.framing.partial)) and self.checks.counted_out
        return self._end_read(problem, arrival_ns, alone=not pieces)

    def _end_read(self, problem: ProtocolError | None, arrival_ns: int, *, alone: bool) -> Ending | None:
        """Return how the stream ends after one read, if it does; ``alone``: the read brought nothing of the body."""
        if problem is not None:
            return Outcome.PROTOCOL_ERROR, str(problem)
        if self.framing.ending:
            self._note_end(arrival_ns, alone=alone)
        return self.close() if self.framing.finished else None

    def _note_quiet(self, pieces: list[bytes], frames: list[bytes]) -> None:
        """Note the heartbeats of a read without a chunk, and what a body without any chunk begins with."""
        chunks, quiet = self._quiet
        new = self.heartbeats - self._heartbeats
        self._heartbeats += new
        self._quiet = (self._timer.chunks, new + (quiet if chunks == self._timer.chunks else 0))
        self.quotes.note(pieces, frames)

    def _filtered(self, frames: list[bytes], problem: ProtocolError | None) -> tuple[list[bytes], ProtocolError | None]:
        """Return those frames that count, and the first problem. The stream's first frame settles the format."""
        if self._settle is not None:
            found = shown_by(frames[0], self.format)
            if found.signature is not None and self._plan.allows(found):
                self.format, self.decoder = found, found.signature.take_over(self.decoder)
                self.checks = ChunkChecks(self._plan, found, self.decoder, self._timer, self._sequence)
                try:
                    frames = self.decoder.take_blocks(frames, problem)
                except ProtocolError as error:
                    frames, problem = error.before, error
            self.settle()
        return [frame for frame in frames if frame], problem

    def settle(self) -> None:
        """Count under the format that the body has, if that was open."""
        if self._settle is not None:
            stats = self._settle(self.format)
            stats.bytes += self._stats.bytes
            self._stats, self._settle, self._filters = stats, None, self._by_transfer_chunk

    def _note_tokens(self, arrival_ns: int, floor_ns: int, *, exact: bool) -> None:
        """Note the arrival of tokens beside the chunks of a read. What closes a stream arrives with its last token."""
        timer, decoder = self._timer, self.decoder
        if decoder.silent_token:
            timer.silent_token(arrival_ns if exact else floor_ns, arrival_ns)
        if timer.answer_ns is None and decoder.answered:
            timer.answer_ns = arrival_ns

    def add_fast(self, size_bytes: int, last_frame: bytes) -> None:
        """Add bytes that the fast path counted, and the beginning of the last read that it counted."""
        self.bytes += size_bytes
        self.quotes.last_frame = last_frame

    def _note_end(self, arrival_ns: int, *, alone: bool) -> None:
        """Note when the framing that closes the body arrived: ``alone``, or in one read with part of the body."""
        if self._timer.chunks:
            self._stats.note_end(arrival_ns - max(self._timer.last_ns, self._last[0]) if alone else 0)

    def _count(self, chunks: list[bytes], floor_ns: int, arrival_ns: int, *, exact: bool) -> None:
        """Count the chunks of one read; ``exact``: the last of them arrived at ``arrival_ns``."""
        self._stats.chunk_sizes.record_all([len(chunk) for chunk in chunks])
        if exact and len(chunks) == 1:
            self._timer.chunk(arrival_ns)
        else:
            self._timer.coalesced_chunks(len(chunks), floor_ns, arrival_ns, last_is_exact=exact)

    def _decoded(
        self, coding: ContentDecoder, pieces: list[bytes], problem: ProtocolError | None
    ) -> tuple[list[bytes], ProtocolError | None]:
        """Return what the pieces decode to, up to the first problem, and that problem."""
        decoded: list[bytes] = []
        try:
            decoded.extend(coding.feed(piece) for piece in pieces)
        except ProtocolError as error:
            problem = error
        return decoded if self._by_transfer_chunk else [plain for plain in decoded if plain], problem

    def close(self) -> Ending:
        """Return how the stream ended, now that the peer closed or the framing finished."""
        if not self.framing.close() and not self.close_sent:
            return Outcome.TRUNCATED, "the connection was closed inside the body"
        if self._coding is not None and not self._coding.close():
            return Outcome.TRUNCATED, "the body ended inside its content coding"
        return self._ending() if self.checks.end_came else self._close_decoder() or self._ending()

    def _close_decoder(self) -> Ending | None:
        """Count what the end of the body completes. It arrived with the last of the body, not with its end."""
        frames, problem = self.decoder.close(), None
        if self._filters and frames:
            frames, problem = self._filtered(frames, None)
        arrival_ns, floor_ns, exact = self._last
        self.quotes.note([], frames)
        chunks = self.checks.sift(frames) if frames else []
        if chunks:
            self._count(chunks, floor_ns, arrival_ns, exact=exact)
        self._note_tokens(arrival_ns, floor_ns, exact=exact)
        ending = self.checks.check(chunks)
        return (Outcome.PROTOCOL_ERROR, str(problem)) if ending is None and problem is not None else ending

    @property
    def close_sent(self) -> bool:
        """Whether the client itself closed the stream, after its named end: no more is due from the peer."""
        return self.checks.end_came and self.framing.two_way is not None

    def _ending(self) -> Ending:
        if error := self.framing.error:
            return in_band_error(error)
        if reason := self._shortfall():
            return Outcome.INCOMPLETE, reason
        return self.completed

    @property
    def completed(self) -> Ending:
        """The ending of a stream that lacks nothing."""
        tokens = self.decoder.token_count()
        silent = f"; tokens without content: {tokens.generated}" if tokens and tokens.generated else ""
        return Outcome.COMPLETED, "" if self._timer.chunks else f"no chunk came{silent}"

    def _shortfall(self) -> str:
        """Return what a body that ended cleanly lacks; empty if it lacks nothing."""
        end_came = self.checks.end_came
        reason = self.framing.shortfall(named_end_came=end_came)
        if not reason and self.framing.has_body:
            reason = self.decoder.shortfall(named_end_came=end_came)
        last_frame = self.decoder.last_frame or self.quotes.last_frame
        if not (reason or last_frame or self._timer.chunks) and self.decoder.unfinished:
            reason = f"the body ended cleanly after {self.bytes} bytes without one whole chunk"
            self.quotes.quote_beginning()
        if not reason and self.checks.end_is_named and not end_came:
            reason = "the body ended cleanly, and the named end had not come"
            self.quotes.quote_end(last_frame)
        return reason + self.quotes.quoted
