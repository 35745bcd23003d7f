"""Sifts a stream's frames: which are chunks, which is the named end, which reports an error; and checks numbers.

1. ``sift`` comes before the chunks are timed: what is not a chunk is not timed, nor is anything after the end.
2. ``check`` comes after it: it measures send stamps, and calls the scenario's ``on_chunk``.
3. Most frames need not be parsed. ``guards`` are byte strings; a frame that contains none of them is what frames
   usually are.
"""

from typing import Any

from streamgauge.client.plan import StreamFailed, StreamPlan
from streamgauge.client.read.check_plan import CheckPlan
from streamgauge.client.read.send_stamps import StampReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.decoder import Decoder
from streamgauge.wire.format import Format
from streamgauge.wire.frame import MAX_QUOTED, Frame, one_line
from streamgauge.wire.sequence import SequenceCheck, number_reader
from streamgauge.wire.token_count import TokenCount

#: How a stream ended, and the reason in one sentence.
Ending = tuple[Outcome, str]
_MAX_REASON = 160
#: The fields of a record on its stream's numbers.
_SEQUENCE = ("lost", "repeated", "out_of_order", "beyond_window")


class ChunkChecks:
    """The checks of one stream's frames. ``sequence`` checks their numbers; None if the plan has none."""

    def __init__(
        self,
        plan: StreamPlan,
        wire_format: Format,
        decoder: Decoder,
        timer: ChunkTimer,
        sequence: SequenceCheck | None,
    ) -> None:
        self._decoder = decoder
        self._timer = timer
        self._on_chunk = plan.on_chunk
        self._rules = rules = CheckPlan.of(plan, wire_format)
        self.end_is_named, self.watched, self.counts_only = rules.end_is_named, rules.watched, rules.counts_only
        self.guards, self.sifts = rules.guards, rules.sifts
        #: Whether the named end has come.
        self.end_came = False
        #: Frames that are not chunks, by the plan's own rules.
        self.heartbeats = 0
        self.sequence = sequence
        self._number_of = None if plan.sequence is None else number_reader(plan.sequence, decoder.parse)
        self._stamps = StampReader(timer) if plan.stamped else None
        #: Whether ``check`` has anything to do. Not before ``sift`` finds something, for most streams.
        self.eventful = plan.stamped or plan.on_chunk is not None or rules.tells
        #: How the frames that were sifted end the stream, or what a callable raised, if they do.
        self._ending: Ending | None = None
        self._raised: Exception | None = None

    @property
    def inspected(self) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
        """For event streams with guards: the names of events to parse, and texts that make any event one of them."""
        return self._rules.inspected

    def sift(self, frames: list[bytes]) -> list[bytes]:
        """Return the frames that are chunks, up to one that ends the stream."""
        count, guards = self._rules.count, self.guards
        if guards is None or (count is not None and self._timer.chunks + len(frames) >= count):
            return self._sift_closely(frames)
        for at, frame in enumerate(frames):
            for guard in guards:
                if frame.find(guard) >= 0:  # much cheaper than ``in``, which tries the guard as a number first
                    usual = at if self.sequence is None else 0  # what reads numbers may raise
                    return self._sift_usual(frames[:usual]) + self._sift_closely(frames[usual:])
        return self._sift_usual(frames)

    def _sift_usual(self, frames: list[bytes]) -> list[bytes]:
        """Return those of frames without a guard that are chunks."""
        if self.sequence is not None:
            for frame in frames:
                self.count(frame)
        chunk = self._rules.chunk
        if chunk is None or chunk.usually:
            return frames
        self.heartbeats += len(frames)
        return []

    def _sift_closely(self, frames: list[bytes]) -> list[bytes]:
        chunks: list[bytes] = []
        try:
            for raw in frames:
                if self.sequence is not None:
                    self.count(raw)
                frame = Frame(raw, self._decoder)
                is_chunk = self._is_chunk(frame)
                if is_chunk:
                    chunks.append(raw)
                if self._ends(frame, self._timer.chunks + len(chunks)):
                    self.eventful = True
                    break
                if not is_chunk and self._rules.chunk is not None:
                    self.heartbeats += 1
        except Exception as error:  # chunks before it are timed first
            self._raised, self.eventful = error, True
        return chunks

    def _is_chunk(self, frame: Frame) -> bool:
        if self._rules.chunk is None:
            return self._decoder.is_chunk(frame.content)
        return self._rules.chunk.match(frame) is not None

    def _ends(self, frame: Frame, number: int) -> bool:
        """Whether the stream is over with this frame; ``number`` of its frames are chunks."""
        rules = self._rules
        if rules.may_report_error(frame.content) and (rule := rules.error.match(frame)):
            self._ending = in_band_error(rule.said(frame))
            return True
        self.end_came = (rules.count is not None and number >= rules.count) or rules.end.match(frame) is not None
        return self.end_came

    def count(self, chunk: bytes) -> None:
        """Count the chunk's sequence number, if it has one."""
        if self.sequence is not None and self._number_of is not None:
            number = self._number_of(chunk)
            if number is not None:
                self.sequence.add(number)

    def check(self, chunks: list[bytes]) -> Ending | None:
        """Check chunks that were timed, and what the decoder reports beside them; return how the stream ended."""
        if self._stamps is not None and chunks:
            self._stamps.measure(chunks)
        if (self._on_chunk is not None or self._raised is not None) and (ending := self._shown(chunks)):
            return ending
        if self._ending is None and self._rules.tells and not self.end_came:
            if self._decoder.error and self._rules.tells_errors:
                return in_band_error(self._decoder.error)
            self.end_came = self._rules.ends_itself and self._decoder.done
        return self._ending

    def _shown(self, chunks: list[bytes]) -> Ending | None:
        """Show the chunks to the scenario; return how it ended the stream. Raises what its callables raise."""
        try:
            if self._on_chunk is not None:
                for chunk in chunks:
                    if self._on_chunk(self._decoder.parse(chunk)) is False:
                        return Outcome.ABORTED, "the scenario hung up"
            if self._raised is not None:
                raise self._raised
        except StreamFailed as failed:
            return Outcome.CHECK_FAILED, one_line(str(failed) or "StreamFailed", MAX_QUOTED)
        return None

    @property
    def counted_out(self) -> bool:
        """Whether the named end is a number of chunks, and so many have come."""
        return self._rules.count is not None and self._timer.chunks >= self._rules.count

    def findings(self) -> dict[str, Any]:
        """Return the fields of the record on numbers and tokens."""
        found: dict[str, Any] = {}
        if self.sequence is not None:
            found = {name: getattr(self.sequence, name) for name in _SEQUENCE}
        count = self._decoder.token_count()
        if count is not None:
            found["tokens"], found["prompt_tokens"] = count.generated, count.prompt
            found |= _token_times(self._timer, count)
        return found


def _token_times(timer: ChunkTimer, count: TokenCount) -> dict[str, Any]:
    """Return the times of a stream's tokens: of the last one, of the first that answers, and per output token.

    There is no time per output token if all tokens came in one frame, which says nothing about the time between them.
    """
    if timer.first_ns is None:
        return {}
    last = timer.last.or_later(timer.last_silent) if count.ends_silently else timer.last
    found: dict[str, Any] = {"time_to_last_token_s": (last.latest_ns - timer.counted_from_ns) / 1e9}
    if timer.answer_ns is not None:
        found["time_to_first_answer_s"] = (timer.answer_ns - timer.counted_from_ns) / 1e9
    if timer.chunks < 2 and not count.ends_silently:
        return found
    least_s, value_s, most_s = (count.time_per_output_token_s(span_s) for span_s in last.since_s(timer.first))
    return {
        **found,
        "time_per_output_token_s": value_s,
        "time_per_output_token_range_s": None if least_s == most_s else (least_s, most_s),
    }


def in_band_error(said: str) -> Ending:
    """Return the outcome of a stream that reported the error ``said``, as one printable line."""
    return Outcome.IN_BAND_ERROR, f"the stream said: {one_line(said, _MAX_REASON)}"
