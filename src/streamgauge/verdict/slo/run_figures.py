"""The figures of a run that SLO rules are judged by: of one name, or of all streams together.

The streams of several names or protocols are pooled exactly: counters add up, and histograms merge.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.alignment import ChunkDelays
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.token_rates import token_rates
from streamgauge.stats.uncertainty import QUANTILES, statistics
from streamgauge.verdict.slo.ruled_metrics import FAILED, FINISHED, IN_ALL, TOKENS_PER_SECOND

_COUNTERS = {each.key: each for each in COUNTERS.values()}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, in its base unit, and the least and the most that it can be."""

    value: float
    least: float
    most: float


def _exact(value: float | None) -> Figure | None:
    return None if value is None else Figure(value, value, value)


class RunFigures:
    """The figures of the streams in ``all_stats``, which were counted for ``counted_s`` seconds.

    ``delays`` returns their chunk delays; it is called only for a rule about them.
    """

    def __init__(
        self,
        all_stats: Mapping[Key, StreamStats],
        counted_s: float,
        delays: Callable[[], Mapping[Key, ChunkDelays]] = dict,
    ) -> None:
        self._all_stats = {key: stats for key, stats in all_stats.items() if stats.counted}
        self._counted_s = counted_s
        self._delays = delays
        self._merged: dict[tuple[str | None, str], Any] = {}

    @classmethod
    def of_run(cls, part: RunPart, counted_s: float) -> "RunFigures":
        """Return the figures of a run, or of the part of it that counts."""
        return cls(part.all_stats, counted_s, part.chunk_delays)

    @property
    def names(self) -> list[str]:
        """The names of the streams, in order."""
        return sorted({name for name, _ in self._all_stats})

    def figure(self, name: str | None, metric: str, stat: str) -> Figure | None:
        """Return ``stat`` of ``metric`` of the streams called ``name``, None for all; None if there is no value."""
        streams = [stats for (each, _), stats in self._all_stats.items() if name is None or each == name]
        if not streams:
            return None
        if metric in DISTRIBUTIONS:
            if DISTRIBUTIONS[metric].aligned:
                return self._of_delays(name, stat)
            return _of_times(self._times(name, DISTRIBUTIONS[metric].field, streams), stat)
        if metric == TOKENS_PER_SECOND:
            return _exact(self._tokens_per_s(name, stat, streams))
        if metric in _COUNTERS:
            return _exact(self._of_counter(metric, stat, streams))
        return _exact(self._of_outcome(metric, stat, streams))

    def _times(self, name: str | None, field: str, streams: list[StreamStats]) -> Any:
        """Return the times of ``streams`` in one distribution; merge them only once."""
        if len(streams) == 1:
            return getattr(streams[0], field)
        if (name, field) not in self._merged:
            self._merged[name, field] = _merged(getattr(stats, field) for stats in streams)
        return self._merged[name, field]

    def _of_delays(self, name: str | None, stat: str) -> Figure | None:
        """Return a statistic of the chunk delays; what is unknown of the clocks widens its range."""
        every = [found for (each, _), found in self._delays().items() if name is None or each == name]
        found = _of_times(_merged(each.delays for each in every), stat) if every else None
        if found is None or stat == "count":
            return found
        errors_s = [fit.uncertainty_s for each in every for fit in each.fits]
        off_s = max((error_s or 0.0 for error_s in errors_s), default=0.0)
        most_s = float("inf") if None in errors_s else found.most + off_s
        return Figure(found.value, max(0.0, found.least - off_s), most_s)

    def _tokens_per_s(self, name: str | None, stat: str, streams: list[StreamStats]) -> float | None:
        tokens = sum(stats.tokens for stats in streams)
        if not tokens:
            return None
        if stat == IN_ALL:
            return self._per_second(tokens)
        return token_rates(self._times(name, "duration_per_token", streams))[stat]

    def _of_counter(self, metric: str, stat: str, streams: list[StreamStats]) -> float | None:
        counter = _COUNTERS[metric]
        value = _sum(counter.field, streams)
        if counter.optional and not value:
            return None
        if counter.share_of:
            return _ratio(value, _sum(counter.share_of, streams))
        if stat == "per_stream":
            return _ratio(value, _sum("started", streams))
        return self._per_second(value) if stat == "per_second" else value

    def _of_outcome(self, metric: str, stat: str, streams: list[StreamStats]) -> float | None:
        outcomes: dict[str, int] = {FINISHED: _sum("finished", streams), FAILED: _sum("failed", streams)}
        for outcome in Outcome:
            outcomes[outcome] = sum(stats.outcomes[outcome] for stats in streams)
        value = outcomes[metric]
        if stat == "ratio":  # a censored stream neither succeeded nor failed
            judged = outcomes[FINISHED] - (0 if metric == Outcome.CENSORED else outcomes[Outcome.CENSORED])
            return _ratio(value, judged)
        return self._per_second(value) if stat == "per_second" else value

    def _per_second(self, value: float) -> float | None:
        return _ratio(value, self._counted_s)


def _merged(every: Iterable[Any]) -> Any:
    """Return new times with those of all."""

    def add(sum_: Any, times: Any) -> Any:
        sum_.merge(times)
        return sum_

    first, *others = every
    return reduce(add, others, add(type(first)(), first))


def _sum(field: str, streams: list[StreamStats]) -> int:
    counted: int = sum(getattr(stats, field) for stats in streams)
    return max(0, counted)


def _ratio(value: float, whole: float) -> float | None:
    return value / whole if whole > 0 else None


def _of_times(times: BoundedTimes, stat: str) -> Figure | None:
    """Return a statistic, with the least and the most that it can be."""
    value = _statistic(times.values, stat)
    if value is None or not times.some_uncertain or stat == "count":
        return _exact(value)
    least, most = (_statistic(bound, stat) for bound in times.bounds())
    return Figure(value, value if least is None else least, value if most is None else most)


def _statistic(histogram: Histogram, stat: str) -> float | None:
    if histogram.empty:
        return None
    return histogram.count if stat == "count" else statistics(histogram, QUANTILES)[stat]
