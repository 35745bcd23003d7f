"""The statistics of the streams of one name and protocol, from which runs and results are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.slowest import Slowest
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS, TIMES_BY_SECOND, StreamQuantities

#: The newest stream contributes one part in this many to a moving average.
_NEWEST = 8
#: A body ends late if its closing framing arrives this long after its last chunk. The streams of a name end late if
#: more than this share of the recent ones did, since a single delay may have another cause.
LATE_END_NS, LATE_ENDS_SHARE = 500_000, 0.15
_COUNTERS = tuple(COUNTERS)
_COUNTERS_BY_SECOND = tuple(each.field for each in COUNTERS.values() if each.by_second)
_OF_RECORD = tuple(each.field for each in COUNTERS.values() if each.of_record)
_record_values = attrgetter(*_OF_RECORD)
_DISTRIBUTIONS = tuple(each.field for each in DISTRIBUTIONS.values() if not each.aligned)
_KINDS = {name: type(getattr(StreamQuantities(), name)) for name in _DISTRIBUTIONS}
_TAKEN = (*_COUNTERS, *_DISTRIBUTIONS, "outcomes", "reasons", "slowest")


@dataclass(slots=True, eq=False)
class StreamStats(StreamQuantities):
    """Counters and distributions that grow while streams run, and merge exactly."""

    #: The number of chunks per stream: a moving average over the streams that ended; None before the first. Of this
    #: process only; it does not merge.
    typical_chunks: float | None = None
    #: The share of streams whose body ended late, a moving average. It does not merge either.
    late_ends: float = 0.0

    @property
    def counted(self) -> bool:
        """Whether there is anything to report. A stream that started before a reset may still count chunks."""
        return self.started > 0 or self.finished > 0 or self.chunks > 0

    @property
    def finished(self) -> int:
        """Streams that ended, censored ones included."""
        return self.outcomes.total()

    @property
    def active(self) -> int:
        """Streams under way. After a reset, streams that started before it end without having counted as started."""
        return max(0, self.started - self.finished)

    @property
    def failed(self) -> int:
        """Streams whose outcome counts as a failure."""
        return sum(times for outcome, times in self.outcomes.items() if Outcome(outcome).failed)

    def end(self, record: StreamRecord, reason: str = "", *, knows_first_chunk: bool = True) -> None:
        """Count a stream that ended. Its chunks and intervals were counted as they came.

        ``reason`` is that of a failure, as tables count it; by default that of the record.
        ``knows_first_chunk``: ``time_to_first_chunk`` holds its time to first chunk; no reset has dropped it.
        """
        self.outcomes[record.outcome] += 1
        self.slowest.count(record)
        if record.chunks and record.outcome is not Outcome.CENSORED:
            before = record.chunks if self.typical_chunks is None else self.typical_chunks
            self.typical_chunks = before + (record.chunks - before) / _NEWEST
        if any(_record_values(record)):  # most streams have only zeros
            for name in _OF_RECORD:
                setattr(self, name, getattr(self, name) + (getattr(record, name) or 0))
        if record.start_delay_s is not None:
            self._count_service(record, record.start_delay_s, knows_first_chunk=knows_first_chunk)
        if record.failed:
            if record.time_to_first_chunk_s is not None and knows_first_chunk:
                first_s = record.time_to_first_chunk_s
                ago_s = max(0.0, record.duration_s - first_s)
                self.time_to_first_chunk.record_failed_s(first_s, record.time_to_first_chunk_range_s, ago_s)
            self.reasons.count(reason or f"{record.outcome}: {record.reason}")
        elif record.outcome is not Outcome.CENSORED:
            self.duration.record_s(record.duration_s, record.duration_range_s)
            if record.tokens:
                self.duration_per_token.record_ns(round(record.duration_s / record.tokens * 1e9))
            if record.time_per_output_token_s is not None:
                self.time_per_output_token.record_s(
                    record.time_per_output_token_s, record.time_per_output_token_range_s
                )

    def _count_service(self, record: StreamRecord, delay_s: float, *, knows_first_chunk: bool) -> None:
        """Count the start delay of a scheduled stream, and its times without it.

        Each service time is of the same streams as the time that begins at the schedule.
        """
        self.start_delay.record_s(delay_s, None)
        if record.failed:
            return
        if record.time_to_first_chunk_s is not None and knows_first_chunk:
            value_s, range_s = record.time_to_first_chunk_s, record.time_to_first_chunk_range_s
            self.service_time_to_first_chunk.record_s(*_less(value_s, range_s, delay_s))
        if record.outcome is not Outcome.CENSORED:
            self.service_time.record_s(*_less(record.duration_s, record.duration_range_s, delay_s))

    def note_end(self, after_ns: int) -> None:
        """Note that the framing that closes a body arrived ``after_ns`` after its last chunk, 0 in the same read."""
        self.late_ends += ((after_ns > LATE_END_NS) - self.late_ends) / _NEWEST

    @property
    def ends_late(self) -> bool:
        """Whether servers send the end of a body some time after its last chunk.

        Most servers send both at once: then the stamp of a read with the last chunk and the end is the arrival of both.
        If the end comes late, the stamp is only the arrival of the end.
        """
        return self.late_ends > LATE_ENDS_SHARE

    def merge(self, other: "StreamStats") -> None:
        """Add ``other`` to this one."""
        self._add_counters(other, _COUNTERS)
        for name in _DISTRIBUTIONS:
            getattr(self, name).merge(getattr(other, name))
        self.outcomes.update(other.outcomes)
        self.reasons.merge(other.reasons)
        self.slowest.merge(other.slowest)

    def merge_second(self, other: "StreamStats") -> None:
        """Add the parts that a second of the timeline needs: counters, outcomes and times."""
        self._add_counters(other, _COUNTERS_BY_SECOND)
        self.outcomes.update(other.outcomes)
        self.merge_times(other)

    def merge_times(self, other: "StreamStats") -> None:
        """Add only the times of a second of the timeline, including those of streams that failed later."""
        for name in TIMES_BY_SECOND:
            BoundedTimes.merge(getattr(self, name), getattr(other, name))

    def _add_counters(self, other: "StreamStats", names: tuple[str, ...]) -> None:
        for name in names:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def take(self) -> "StreamStats":
        """Return the counts since the last call, and start again at zero."""
        taken = StreamStats()
        for name in _TAKEN:
            mine = getattr(self, name)
            setattr(self, name, getattr(taken, name))
            setattr(taken, name, mine)
        taken.delays = {clock: raw for clock, raw in self.delays.items() if raw.low or raw.high}
        self.delays = {clock: new for clock, raw in taken.delays.items() if (new := raw.successor()) is not None}
        return taken

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        counted = any(getattr(self, name) for name in _COUNTERS) or self.outcomes
        return not (counted or any(not getattr(self, name).empty for name in _DISTRIBUTIONS))

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON, without empty distributions; :meth:`from_dict` reads it."""
        counters = {name: getattr(self, name) for name in _COUNTERS}
        distributions = {name: found.to_dict() for name in _DISTRIBUTIONS if not (found := getattr(self, name)).empty}
        slowest = {"slowest": self.slowest.to_list()} if self.slowest else {}
        delays = {"delays": {clock: raw.to_dict() for clock, raw in self.delays.items()}} if self.delays else {}
        return {
            **counters, **distributions, **delays, **slowest,
            "outcomes": dict(self.outcomes), "reasons": dict(self.reasons),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "StreamStats":
        """Read the form that :meth:`to_dict` returns."""
        stats = cls()
        for name in _COUNTERS:
            setattr(stats, name, data[name])
        for name in _DISTRIBUTIONS:
            if name in data:
                setattr(stats, name, _KINDS[name].from_dict(data[name]))
        stats.outcomes.update(data["outcomes"])
        stats.reasons.update(data["reasons"])
        if "slowest" in data:
            stats.slowest = Slowest.from_list(data["slowest"])
        stats.delays = {clock: RawDelays.from_dict(raw) for clock, raw in data.get("delays", {}).items()}
        return stats


def _less(
    value_s: float, range_s: tuple[float, float] | None, delay_s: float
) -> tuple[float, tuple[float, float] | None]:
    """Return a time and its range without the delay. The least of a range may have been below the delay."""
    found_s = max(0.0, value_s - delay_s)
    return found_s, None if range_s is None else (max(0.0, range_s[0] - delay_s), max(0.0, range_s[1] - delay_s))
