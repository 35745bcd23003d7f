"""Checks a stream's chunks for its named end, for errors that the stream itself reports, and for missing numbers.

Most chunks need not be parsed. ``guards`` are byte strings; a chunk that contains none of them is skipped.
"""

from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.send_stamps import StampReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.decoder import Decoder
from streamgauge.wire.end import CallbackEnd, DataEnd, EventEnd, end_test, needle_of
from streamgauge.wire.format import Format
from streamgauge.wire.sequence import EventId, SequenceCheck, number_reader
from streamgauge.wire.token_count import TokenCount

#: How a stream ended, and the reason in one sentence.
Ending = tuple[Outcome, str]
_MAX_REASON = 160
#: The fields of a record on its stream's numbers.
_SEQUENCE = ("lost", "repeated", "out_of_order", "beyond_window")


class ChunkChecks:
    """The checks of one stream's chunks. ``sequence`` checks their numbers; None if the plan has none."""

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
        #: Whether a callable of the scenario sees each chunk, and may want to act at once.
        self.watched = plan.on_chunk is not None or isinstance(plan.end, CallbackEnd)
        #: Whether the stream must end with the format's own end, which only the decoder sees.
        self._ends_itself = wire_format.ends_itself and plan.end in (None, wire_format.own_end)
        self._named = None if self._ends_itself else plan.end
        self._needle = needle_of(self._named)
        of_events = wire_format.has_events
        self._end = None if self._named is None else end_test(self._named, decoder.parse, of_events=of_events)
        self.end_seen = plan.end is None and not self._ends_itself
        self.sequence = sequence
        self._number_of = None if plan.sequence is None else number_reader(plan.sequence, decoder.parse)
        #: Whether chunks without a guard need no check, apart from SSE ids.
        self.counts_only = (plan.sequence is None or isinstance(plan.sequence, EventId)) and not plan.reconnect
        self._in_band_error = wire_format.in_band_error
        self._stamps = StampReader(timer) if plan.stamped else None
        self.guards = self._guards_for(plan)

    @property
    def named_end_came(self) -> bool:
        """Whether the scenario names an end and it has come."""
        return self._end is not None and self.end_seen

    def _guards_for(self, plan: StreamPlan) -> tuple[bytes, ...] | None:
        """Return the guards; None if every chunk must be parsed."""
        if plan.stamped or plan.on_chunk or (self._named is not None and not self._needle):
            return None
        error_guard = b"" if self._in_band_error is None else self._in_band_error.guard
        return tuple(guard for guard in (self._needle, error_guard) if guard)

    @property
    def inspected(self) -> tuple[frozenset[bytes], bytes | None]:
        """For event streams with guards: the names of events to parse, and a text that makes any event one of them."""
        names = {b"error", self._needle} if isinstance(self._named, EventEnd) else {b"error"}
        return frozenset(names), self._needle if isinstance(self._named, DataEnd) else None

    def check(self, chunks: list[bytes], first: int) -> Ending | None:
        """Check chunks, the first of which is the stream's ``first``-th; return how the stream ends, if one ends it."""
        if self._stamps is not None:
            self._stamps.measure(chunks)
        if self.sequence is not None:
            for chunk in chunks:
                self.count(chunk)
        guards = self.guards
        if guards is None:
            for number, chunk in enumerate(chunks, first):
                if ending := self._inside(chunk, number):
                    return ending
            return None
        for chunk in chunks:
            for guard in guards:
                if guard in chunk:
                    if ending := self._inside(chunk, 0):
                        return ending
                    break
        return None

    def count(self, chunk: bytes) -> None:
        """Count the chunk's sequence number, if it has one."""
        if self.sequence is not None and self._number_of is not None:
            number = self._number_of(chunk)
            if number is not None:
                self.sequence.add(number)

    def _inside(self, chunk: bytes, number: int) -> Ending | None:
        if self._end is not None and not self.end_seen:
            self.end_seen = self._end(chunk, number)
        if self._on_chunk is not None and self._on_chunk(self._decoder.parse(chunk)) is False:
            return Outcome.ABORTED, "the scenario hung up"
        error = self._in_band_error
        if error is not None and error.guard in chunk:
            said = error.error_of(chunk)
            return None if said is None else in_band_error(said)
        return None

    def after_read(self) -> Ending | None:
        """Check what the stream reported beside its chunks; return an ending, if any."""
        decoder = self._decoder
        self.end_seen = self.end_seen or (self._ends_itself and decoder.done)
        return in_band_error(decoder.error) if decoder.error else None

    def findings(self) -> dict[str, Any]:
        """Return the fields of the record on numbers and tokens."""
        found: dict[str, Any] = {}
        if self.sequence is not None:
            found = {name: getattr(self.sequence, name) for name in _SEQUENCE}
        count = self._decoder.token_count()
        if count is not None:
            found = {
                **found,
                "tokens": count.generated,
                "prompt_tokens": count.prompt,
                **_token_times(self._timer, count),
            }
        return found


def _token_times(timer: ChunkTimer, count: TokenCount) -> dict[str, Any]:
    """Return the times of a stream's tokens: of the last one, of the first that answers, and per output token.

    If coalesced reads leave the time per output token uncertain, it is the middle of its range. There is none if all
    tokens came in one chunk, which says nothing about the time between them.
    """
    if timer.first_ns is None:
        return {}
    ends_silently = count.ends_silently and timer.silent_ns > timer.last_ns
    last_ns = timer.silent_ns if ends_silently else timer.last_ns
    last_earliest_ns = timer.silent_earliest_ns if ends_silently else timer.last_earliest_ns
    found: dict[str, Any] = {"time_to_last_token_s": (last_ns - timer.start_ns) / 1e9}
    if timer.answer_ns is not None:
        found["time_to_first_answer_s"] = (timer.answer_ns - timer.start_ns) / 1e9
    if timer.chunks < 2 and not ends_silently:
        return found
    least_ns = max(0, last_earliest_ns - timer.first_ns)
    most_ns = last_ns - timer.first_earliest_ns
    least_s, middle_s, most_s = (
        count.time_per_output_token_s(span_ns / 1e9) for span_ns in (least_ns, (least_ns + most_ns) / 2, most_ns)
    )
    uncertain = middle_s is not None and least_ns < most_ns
    return {
        **found,
        "time_per_output_token_s": middle_s,
        "time_per_output_token_range_s": (least_s, most_s) if uncertain else None,
    }


def in_band_error(said: str) -> Ending:
    """Return the outcome of a stream that reported the error ``said``, as one printable line."""
    line = " ".join("".join(each if each.isprintable() else " " for each in said[: 4 * _MAX_REASON]).split())
    return Outcome.IN_BAND_ERROR, f"the stream said: {line[:_MAX_REASON]}"
