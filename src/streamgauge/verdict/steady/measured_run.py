"""A run's figures as they are judged: those after its warm-up; and its steady window, once the run is over."""

from collections.abc import Sequence

from streamgauge.stats.clocks.alignment import RunDelays
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.run_slices import RunSlices
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.steady.search import Steady, steady_window
from streamgauge.verdict.steady.warm_up import WarmUp


class MeasuredRun:
    """The counts of ``whole``, a run so far, without its warm-up.

    What happens counts in the second in which it happens: a start, the arrival of a chunk, an end. So a stream that
    begins in the warm-up and ends later is not among those that started, and its end and its later intervals count.
    """

    def __init__(self, whole: RunStats, warm_up: WarmUp | None) -> None:
        self.warm_up = warm_up
        #: From which second on the figures count; 0 without a warm-up. Of an ``auto`` one it is known at the end.
        self.from_s = (warm_up.seconds or 0) if warm_up is not None else 0
        #: The steady window, or why there is none; None before the run is over.
        self.steady: Steady | None = None
        #: The figures of that window; None if there is none.
        self.window: RunPart | None = None
        self._whole = whole
        self._slices = RunSlices(self.from_s, whole.delays)
        self._after: RunPart | None = None
        self._load_until_s = float("inf")
        if self.from_s:
            self._after = RunPart(RunDelays())
            self._after.problems, self._after.failings = whole.problems, whole.failings

    def add(self, process: str, part: SecondReport, busy_cpu: float, keyed: Sequence[tuple[Key, StreamStats]]) -> None:
        """Add a second report that ``whole`` has counted; ``keyed`` is what that returned."""
        self._slices.add(process, part, busy_cpu, keyed)
        if self._after is not None and part.t_s >= self.from_s:
            self._after.count(process, part, busy_cpu, keyed)
            self._after.take_out_failed(part, keyed, self.from_s)

    def end_load(self, t_s: float) -> None:
        """Note that users began to stop ``t_s`` seconds after the start: the load that was asked for ends."""
        self._load_until_s = min(self._load_until_s, t_s)

    @property
    def warming_up(self) -> bool:
        """Whether the run is in a warm-up whose length is known."""
        return self.steady is None and self.from_s > self._whole.last_s

    @property
    def trimmed(self) -> bool:
        """Whether the figures of ``part`` leave a warm-up out."""
        return self.part is not self._whole

    @property
    def part(self) -> RunPart:
        """The figures that are judged: those after the warm-up, or of the whole run if none is over or known."""
        return self._whole if self._after is None or self.warming_up else self._after

    def conclude(self) -> None:
        """Find the steady window, and with it the end of an ``auto`` warm-up. The run is over."""
        slices, width_s = list(self._slices.parts()), self._slices.width_s
        self.steady = steady_window([each for each in slices if each[0] >= self.from_s], width_s, self._load_until_s)
        if self._after is not None:
            if self.from_s > self._whole.last_s:
                ended = f"the run ended within its warm-up of {self.from_s} s, so nothing was measured"
                self._after.failings = [*self._whole.failings, ended]
            _limit_failed(self._after)
        if self.steady.window_s is None:
            return
        self.window = self._slices.part(*self.steady.window_s)
        if self.warm_up is not None and self.warm_up.seconds is None and self.steady.window_s[0] > 0:
            self.from_s = self.steady.window_s[0]
            self._after = self._slices.part(self.from_s)
            self._after.problems, self._after.failings = self._whole.problems, self._whole.failings


def _limit_failed(part: RunPart) -> None:
    for stats in part.all_stats.values():
        stats.time_to_first_chunk.limit_failed()
