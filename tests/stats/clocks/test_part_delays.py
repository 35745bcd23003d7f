"""Chunk delays of a part of a run come out as exactly as those of the whole run."""

import pytest

from streamgauge.stats.clocks.alignment import RunDelays
from streamgauge.stats.clocks.part_delays import MOST_CELLS, PartDelays
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import RELATIVE_ERROR
from streamgauge.stats.stream_stats import StreamStats
from tests.stats.clocks.test_alignment import KEY, World, quantile

WIDTH_S, CHUNKS = 10, 50


class Sliced(RunDelays):
    """The delays of a run, and those of its slices; each of ``processes`` plays its seconds after the last one's."""

    def __init__(self, seconds):
        super().__init__()
        self.slices = [PartDelays(self) for _ in range(seconds // WIDTH_S)]
        self._seconds = {}

    def add(self, process, all_stats, wall_offset_ns, *, stepped):
        super().add(process, all_stats, wall_offset_ns, stepped=stepped)
        second = self._seconds[process] = self._seconds.get(process, -1) + 1
        self.slices[second // WIDTH_S].add(process, all_stats, wall_offset_ns, stepped=stepped)

    def part(self, from_s, to_s):
        found = PartDelays(self)
        for each in self.slices[from_s // WIDTH_S : to_s // WIDTH_S]:
            found.merge(each)
        return found.results()


class Settling(World):
    """Delays are much longer in the first 40 s."""

    def delay_s(self, t_s):
        return super().delay_s(t_s) * (20 if t_s < 40 else 1)


@pytest.mark.parametrize("drift_ppm", [50.0, -50.0])
@pytest.mark.parametrize("offset_s", [3600.0, 0.0])
@pytest.mark.parametrize(("from_s", "to_s"), [(0, 40), (40, 120), (60, 70)])
def test_delays_of_a_part_are_true_within_what_is_stated_of_the_clocks(offset_s, drift_ppm, from_s, to_s):
    world = Settling(1, offset_s=offset_s, drift_ppm=drift_ppm)
    world.totals = Sliced(120)
    world.run(120, CHUNKS)
    found = world.totals.part(from_s, to_s)[KEY]
    true_s = world.true_s[from_s * CHUNKS : to_s * CHUNKS]
    (fit,) = found.fits
    assert fit == world.result().fits[0]
    assert found.delays.all.count == len(true_s)
    for q in (0.5, 0.9):
        found_s = found.delays.all.quantile_s(q)
        stated_s = fit.uncertainty_s + RELATIVE_ERROR * found_s
        assert found_s == pytest.approx(quantile(true_s, q), rel=0.02, abs=stated_s)


def test_on_one_clock_the_parts_of_all_processes_add_up_to_the_whole():
    world = World(2, same=True)
    world.totals = Sliced(40)
    for process in ("a", "b"):
        world.run(40, CHUNKS, process=process)
    whole, parts = world.result(), [world.totals.part(at, at + 20)[KEY] for at in (0, 20)]
    assert [each.delays.all.count for each in parts] == [2 * 20 * CHUNKS] * 2
    both = parts[0].delays
    both.merge(parts[1].delays)
    assert both.all.to_sorted() == whole.delays.all.to_sorted()


def test_seconds_in_which_the_clock_stepped_are_left_out_as_in_the_whole():
    whole = RunDelays()
    part, raw = PartDelays(whole), RawDelays(same_clock=True, hint_ns=0)
    raw.chunk(2_000_000, 1_000_000)
    stats = StreamStats()
    stats.delays["clock"] = raw
    for stepped in (True, False):
        for each in (whole, part):
            each.add("a", {KEY: stats}, 0, stepped=stepped)
        assert part.results().keys() == whole.results().keys() == ({KEY} if not stepped else set())


def test_of_too_many_names_and_processes_no_delays_are_kept():
    whole = RunDelays()
    part, other = PartDelays(whole), PartDelays(whole)
    for number in range(MOST_CELLS + 1):
        raw = RawDelays(same_clock=True, hint_ns=0)
        raw.chunk(2_000_000, 1_000_000)
        stats = StreamStats()
        stats.delays["clock"] = raw
        assert len(part.results()) == number
        for each in (whole, part, *([other] if number < 2 else [])):
            each.add(f"p{number % 8}", {(f"name {number}", "sse"): stats}, 0, stepped=False)
    assert part.results() == {}
    assert len(other.results()) == 2
    other.merge(part)
    assert other.results() == {}
