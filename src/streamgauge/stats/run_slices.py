"""A run in a bounded number of slices of equal length, each with all that was counted in it.

Any part of the run that begins and ends with a slice has exact figures of its own. A slice covers more seconds the
longer the run lasts: whenever there are too many, neighbours are merged. A chosen second stays where a slice begins.
"""

from collections.abc import Iterable, Iterator

from streamgauge.stats.clocks.alignment import RunDelays
from streamgauge.stats.clocks.part_delays import PartDelays
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

#: A run has at most so many slices, and half as many at least once it has been longer than that.
MOST_SLICES = 120
#: With many names it has fewer: so many slices times names, but ``FEWEST_SLICES`` in any case.
_MOST_CELLS, FEWEST_SLICES = 4_800, 60


class RunSlices:
    """The slices of a run so far, over all processes. One begins at second ``anchor_s``, if the run comes so far."""

    def __init__(self, anchor_s: int = 0, delays: RunDelays | None = None) -> None:
        """``delays`` are those of the whole run, whose clocks align the slices' own; without them slices have none."""
        self._anchor_s, self._delays = anchor_s, delays
        #: How many seconds a slice covers.
        self.width_s = 1
        #: By the number of widths from the anchor.
        self._parts: dict[int, RunPart] = {}
        self._keys: set[Key] = set()

    def add(self, process: str, part: SecondReport, busy_cpu: float, keyed: Iterable[tuple[Key, StreamStats]]) -> None:
        """Add the second report of a process, with its streams under the names of the run."""
        keyed = list(keyed)
        at = self._at(part.t_s)
        if at not in self._parts:
            self._parts[at] = self._empty()
            self._keys.update(key for key, _ in keyed)
            while len(self._parts) > max(FEWEST_SLICES, min(MOST_SLICES, _MOST_CELLS // max(1, len(self._keys)))):
                self._widen()
            at = self._at(part.t_s)
        self._parts[at].count(process, part, busy_cpu, keyed)
        self._move_failed(part, keyed)

    def _empty(self) -> RunPart:
        return RunPart(None if self._delays is None else PartDelays(self._delays))

    def _at(self, t_s: int) -> int:
        return (t_s - self._anchor_s) // self.width_s

    def _move_failed(self, part: SecondReport, keyed: Iterable[tuple[Key, StreamStats]]) -> None:
        """Move the times of failed streams to the slices in which their first chunks came."""
        at = self._at(part.t_s)
        for key, stats in keyed:
            for seconds, times in stats.time_to_first_chunk.earlier.items():
                earlier = self._parts.get(self._at(max(0, part.t_s - seconds)))
                if earlier is not None and earlier is not self._parts[at]:
                    own = self._parts[at].all_stats[key].time_to_first_chunk
                    own.failed = own.failed.minus(times)
                    earlier.all_stats[key].time_to_first_chunk.failed.merge(times)

    def _widen(self) -> None:
        self.width_s *= 2
        narrow, self._parts = self._parts, {}
        for at, part in sorted(narrow.items()):
            known = self._parts.setdefault(at // 2, part)
            if known is not part:
                known.merge(part)

    def parts(self) -> Iterator[tuple[int, RunPart]]:
        """Yield each slice with the second at which it begins, in order; the first may begin before the run does."""
        for at in sorted(self._parts):
            yield self._anchor_s + at * self.width_s, self._parts[at]

    def part(self, from_s: float, to_s: float = float("inf")) -> RunPart:
        """Return the sums of the slices that begin at ``from_s`` or later and end at ``to_s`` or earlier."""
        whole = self._empty()
        for begin_s, part in self.parts():
            if begin_s >= from_s and begin_s + self.width_s <= to_s:
                whole.merge(part)
        for stats in whole.all_stats.values():
            stats.time_to_first_chunk.limit_failed()
        return whole
