"""The statistics of a whole run: the second reports of all processes, merged by name and by second."""

import heapq
from collections import defaultdict

from streamgauge.stats.clocks.alignment import RunDelays
from streamgauge.stats.names import OTHER_NAMES, Names
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.run_second import NameSecond, RunSecond
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

#: How many seconds later the report of a slow worker still counts in a second's percentiles.
OPEN_SECONDS = 30
#: How many names have their own line in the timeline; all others share one.
MOST_LINES = 8
#: The shared line of all other names; no stream has an empty protocol.
OTHER: Key = ("other", "")


class RunStats(RunPart):
    """The statistics of a run so far. Merging is exact: the sums do not depend on the number of processes."""

    delays: RunDelays

    def __init__(self) -> None:
        super().__init__(RunDelays())
        self.seconds: dict[int, RunSecond] = {}
        #: The latest second; -1 before the first.
        self.last_s = -1
        #: By user class, the user's options that its streams have used.
        self.options_used: defaultdict[str, set[str]] = defaultdict(set)
        self._names = Names()
        self._left_out_by_processes = 0
        self._closed_before = 0
        self._lines: set[Key] = set()

    def add(self, process: str, part: SecondReport, busy_cpu: float) -> list[tuple[Key, StreamStats]]:
        """Add the second report of ``process``, which was busy if it used ``busy_cpu`` of a core or more.

        Return its streams under the names of the run, for other sums of the same seconds.
        """
        second = self.seconds.setdefault(part.t_s, RunSecond())
        self.last_s = max(self.last_s, part.t_s)
        second.active_by[process] = part.active
        second.count_arrivals(part)
        self._left_out_by_processes += part.names_left_out
        keyed: list[tuple[Key, StreamStats]] = []
        for (name, protocol), stats in part.all_stats.items():
            key = self._names.counted_as(name), protocol  # each of several processes has its own first names
            stats.slowest.place(part.t_s)
            keyed.append((key, stats))
        self.count(process, part, busy_cpu, keyed)
        for key, stats in keyed:
            if second.all_stats is not None:
                second.chunks_by[key] += stats.chunks
            second.add(self.line_of(key) if len(self._lines) == MOST_LINES else key, stats)
        for user_class, used in part.options_used.items():
            self.options_used[user_class].update(used)
        self._close_before(part.t_s - OPEN_SECONDS)
        return keyed

    @property
    def names_left_out(self) -> int:
        """How many names are counted under ``OTHER_NAMES``; each process counts those that it left out."""
        return self._names.left_out + self._left_out_by_processes

    def names(self, second: RunSecond) -> dict[Key, NameSecond]:
        """Return the sums and times of each name in one second; names without a line are pooled as ``OTHER``."""
        self._give_lines()
        return {
            key: found
            for key, found in second.names(self.line_of).items()
            if key == OTHER or self.all_stats[key].counted  # under ``auto``, a stream that later settled on a protocol
        }

    def line_of(self, key: Key) -> Key:
        """Return the line of the timeline for a name: its own or, beyond ``MOST_LINES``, the shared line."""
        if key[0] == OTHER_NAMES:
            return OTHER
        new = len(self._lines) < MOST_LINES and not self._has_streamed(key)
        return key if new or key in self._lines else OTHER

    def _has_streamed(self, key: Key) -> bool:
        stats = self.all_stats[key]
        return bool(stats.chunks or stats.outcomes)

    def lines(self) -> set[Key]:
        """Return the names with a line of their own; lines that are still free go to those with the most chunks."""
        left = MOST_LINES - len(self._lines)
        if not left:
            return self._lines
        named = (key for key in self.all_stats if key[0] != OTHER_NAMES)
        waiting = [key for key in named if key not in self._lines and self._has_streamed(key)]
        return self._lines.union(heapq.nlargest(left, waiting, key=lambda key: self.all_stats[key].chunks))

    def _give_lines(self) -> None:
        """Give the free lines. A name keeps its line."""
        self._lines = self.lines()

    def _close_before(self, t_s: int) -> None:
        if any(past in self.seconds for past in range(self._closed_before, t_s)):
            self._give_lines()
        for past in range(self._closed_before, t_s):
            if past in self.seconds:
                self.seconds[past].close(self.line_of)
        self._closed_before = max(self._closed_before, t_s)
