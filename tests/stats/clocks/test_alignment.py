"""Chunk delays across clocks that differ: the percentiles come out within what is stated of them."""

import json
import random

import pytest

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.alignment import ChunkDelays, Pair, RunDelays
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import RELATIVE_ERROR, Histogram
from streamgauge.stats.stream_stats import StreamStats

SECOND_NS = 10**9
KEY = ("a", "sse")


class World:
    """A client whose clocks are true time, and a server whose clock is not. Delays are seconds."""

    def __init__(self, seed, *, offset_s=0.0, drift_ppm=0.0, least_s=0.0005, back_s=0.0005, jitter_s=0.002, same=False):
        self.dice = random.Random(seed)
        self.offset_ns, self.drift = round(offset_s * 1e9), drift_ppm * 1e-6
        self.least_s, self.back_s, self.jitter_s, self.same = least_s, back_s, jitter_s, same
        self.wall_offset_ns = 1_700_000_000 * SECOND_NS
        self.true_s: list[float] = []
        self.totals = RunDelays()

    def server_ns(self, t_ns):
        return round(t_ns + self.wall_offset_ns + self.offset_ns + self.drift * t_ns)

    def delay_s(self, t_s):
        return self.least_s + self.dice.expovariate(1 / self.jitter_s)

    def run(self, seconds, chunks_per_s=50, process="local", streams_per_s=1):
        stats = StreamStats()
        for second in range(seconds):
            hint_ns = -self.wall_offset_ns if self.same else None
            raw = stats.delays.setdefault("clock", RawDelays(same_clock=self.same, hint_ns=hint_ns))
            for _ in range(streams_per_s):
                asked_ns = round((second + self.dice.random()) * 1e9)
                raw.note_request(
                    asked_ns, self.server_ns(asked_ns + round((self.back_s + self.dice.random() * 0.001) * 1e9))
                )
            for _ in range(chunks_per_s):
                sent_ns = round((second + self.dice.random()) * 1e9)
                delay_s = self.delay_s(sent_ns / 1e9)
                self.true_s.append(delay_s)
                raw.chunk(sent_ns + round(delay_s * 1e9), self.server_ns(sent_ns))
            taken = StreamStats.from_dict(json.loads(json.dumps(stats.take().to_dict())))
            self.totals.add(process, {KEY: taken}, self.wall_offset_ns, stepped=False)
        return self

    def result(self) -> ChunkDelays:
        return self.totals.results()[KEY]


def quantile(values, q):
    return sorted(values)[max(0, -int(-q * len(values) // 1) - 1)]


def check(world):
    """Percentiles are true to what is stated, and count is complete. Returns the fit."""
    found = world.result()
    (fit,) = found.fits
    assert found.delays.all.count == len(world.true_s)
    for q in (0.5, 0.9, 0.99):
        true_s = quantile(world.true_s, q)
        found_s = found.delays.all.quantile_s(q)
        stated_s = fit.uncertainty_s + RELATIVE_ERROR * found_s  # that of the clocks, and that of the histogram
        assert found_s == pytest.approx(true_s, rel=0.02, abs=stated_s)
    return fit


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("offset_s", [3600.0, -3600.0, 0.0])
@pytest.mark.parametrize("drift_ppm", [50.0, -50.0])
@pytest.mark.parametrize("back_s", [0.0005, 0.02], ids=["symmetric", "asymmetric"])
def test_offset_and_drift_are_taken_out_within_the_stated_uncertainty(seed, offset_s, drift_ppm, back_s):
    fit = check(World(seed, offset_s=offset_s, drift_ppm=drift_ppm, back_s=back_s).run(120))
    assert fit.method == "minimum_filter"
    assert fit.offset_s - offset_s == pytest.approx(drift_ppm * 60e-6, abs=fit.uncertainty_s)
    assert fit.drift_ppm == pytest.approx(drift_ppm, abs=10)
    assert fit.uncertainty_s < (back_s + 0.0005) / 2 + 0.001


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("seconds", [1, 3, 10, 40, 1500])
def test_short_and_long_runs_alike_are_within_what_they_state(seed, seconds):
    check(World(seed, offset_s=-12.5, drift_ppm=80).run(seconds, chunks_per_s=20))


@pytest.mark.parametrize("seed", range(3))
def test_few_chunks_with_large_jitter_state_a_larger_uncertainty(seed):
    quiet = check(World(seed, offset_s=5).run(60, chunks_per_s=50))
    fit = check(World(seed, offset_s=5, jitter_s=0.05).run(60, chunks_per_s=2))
    assert fit.uncertainty_s > quiet.uncertainty_s


def test_one_clock_needs_no_filter_and_is_exact():
    fit = check(World(1, least_s=0.004, same=True).run(50))
    assert fit.method == "same_clock"
    assert fit.uncertainty_s < 1e-5


@pytest.mark.parametrize("offset_s", [1.0, -1.0])
def test_a_clock_that_only_claims_to_be_the_same_is_found_out(offset_s):
    """Clones of a virtual machine have the name of their clock in common, and not the clock."""
    assert check(World(1, offset_s=offset_s, same=True).run(30)).method == "minimum_filter"


def test_a_delay_that_grows_is_not_taken_for_drift():
    world = World(1)
    world.delay_s = lambda t_s: 0.001 + t_s * 0.01
    found = world.run(60).result()
    assert found.fits[0].drift_ppm == pytest.approx(-200)
    assert found.delays.all.quantile_s(0.99) > 0.5


@pytest.mark.parametrize("ppm", [-100, -30, 30, 100])
def test_a_smallest_delay_that_creeps_is_within_what_is_stated(ppm):
    """It looks like drift, but for the requests, which would come before they were made."""
    world = World(1, least_s=0.0002, back_s=0.0002, jitter_s=0.0003)
    world.delay_s = lambda t_s: 0.0002 + max(ppm * t_s, ppm * (t_s - 300)) * 1e-6 + world.dice.expovariate(3000)
    check(world.run(300, streams_per_s=5))


@pytest.mark.parametrize("step_s", [-3.0, -0.1, 0.1, 3.0])
@pytest.mark.parametrize("at_s", [6, 30, 54])
def test_a_step_of_the_servers_clock_is_within_what_is_stated(step_s, at_s):
    world = World(1, offset_s=-60)
    world.server_ns = lambda t_ns, true=World.server_ns: round(
        true(world, t_ns) + (step_s * 1e9 if t_ns >= at_s * SECOND_NS else 0)
    )
    check(world.run(60))


def test_two_clocks_of_one_name_are_stated_to_be_as_far_apart_as_they_are():
    world = World(1, offset_s=-60)
    world.server_ns = lambda t_ns, true=World.server_ns: true(world, t_ns) + world.dice.choice([0, 3 * SECOND_NS])
    (fit,) = world.run(60).result().fits
    assert fit.uncertainty_s == pytest.approx(3, rel=0.01)


def test_each_process_has_an_offset_of_its_own():
    one, other = World(1, offset_s=3600, drift_ppm=30), World(2, offset_s=-7, drift_ppm=-30)
    other.totals = one.totals
    one.run(60, process="one")
    other.run(60, process="other")
    found = one.result()
    uncertainty_s = max(fit.uncertainty_s for fit in found.fits)
    assert sorted(round(fit.offset_s) for fit in found.fits) == [-7, 3600]
    for q in (0.5, 0.99):
        true_s = quantile(one.true_s + other.true_s, q)
        assert found.delays.all.quantile_s(q) == pytest.approx(true_s, rel=0.02, abs=uncertainty_s)


def test_a_step_of_the_generators_clock_spoils_no_delay():
    world = World(1, same=True).run(10)
    before = len(world.true_s)
    world.wall_offset_ns += 3600 * SECOND_NS  # both see it: they have one clock
    world.run(10)
    assert len(world.true_s) == 2 * before
    check(world)


@pytest.mark.parametrize("jitter_ns", [0, 3_000], ids=["", "an offset that is measured a little off"])
def test_delays_by_one_clock_add_up_to_the_same_buckets_however_streams_are_split(jitter_ns):
    dice = random.Random(1)
    sends = [(second * SECOND_NS + dice.randrange(SECOND_NS), dice.randrange(30_000_000)) for second in range(60)] * 9
    whole, split, offset_ns = RunDelays(), RunDelays(), 1_700_000_000 * SECOND_NS
    for processes, totals in ((1, whole), (4, split)):
        for process in range(processes):
            for second in range(60):
                raw = RawDelays(same_clock=True, hint_ns=-offset_ns)
                for sent_ns, delay_ns in sends[process::processes]:
                    if sent_ns // SECOND_NS == second:
                        raw.chunk(sent_ns + delay_ns, sent_ns + offset_ns)
                stats = StreamStats()
                stats.delays["clock"] = raw
                totals.add(str(process), {KEY: stats}, offset_ns + dice.randint(-jitter_ns, jitter_ns), stepped=False)
    assert split.results()[KEY].delays.all == whole.results()[KEY].delays.all
    true = Histogram()
    for _, delay_ns in sends:
        true.record_ns(delay_ns)
    assert whole.results()[KEY].delays.all == true


def test_memory_does_not_grow_with_the_run():
    world = World(1, offset_s=5, drift_ppm=20).run(2000, chunks_per_s=5)
    (pair,) = world.totals._pairs.values()
    assert len(pair._parts[KEY]) <= 16
    assert len(pair._lows.points) <= 512
    check(world)


@pytest.mark.parametrize("same", [True, False])
def test_slices_as_they_come_add_up_to_the_whole(same):
    """On one clock exactly; on two, as far as the clocks were known by then."""
    world, live, add = World(1, offset_s=0.0 if same else 3.0, least_s=0.004, same=same), BoundedTimes(), Pair.add

    def watched(pair, key, raw, wall_offset_ns):
        add(pair, key, raw, wall_offset_ns)
        live.merge(pair.newest(key))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pair, "add", watched)
        found = world.run(60).result()
    assert live.all.count == found.delays.all.count
    if same:
        assert live.all.counts == found.delays.all.counts
    else:
        assert live.all.quantile_s(0.5) == pytest.approx(found.delays.all.quantile_s(0.5), rel=0.01, abs=0.002)


class TestWithoutJitter:
    """Where every delay is the same, what is stated of the clocks can be told by hand."""

    @staticmethod
    def pair(offset_s=3600.0, drift_ppm=100.0, there_ns=2_000_000, back_ns=4_000_000, seconds=60, asked=True) -> Pair:
        """Each second, in its middle, a chunk arrives ``there_ns`` after it was sent, and a stream is asked for."""
        pair = Pair()
        for second in range(seconds):
            raw = RawDelays(same_clock=False)
            now_ns = second * SECOND_NS + SECOND_NS // 2

            def server_ns(t_ns: int) -> int:
                return round(t_ns + offset_s * 1e9 + drift_ppm * 1e-6 * t_ns)

            if asked:
                raw.note_request(now_ns, server_ns(now_ns + back_ns))
            raw.chunk(now_ns, server_ns(now_ns - there_ns))
            pair.add(KEY, raw, 0)
        return pair

    @pytest.mark.parametrize("drift_ppm", [100.0, -100.0])
    @pytest.mark.parametrize("offset_s", [3600.0, -3600.0])
    def test_half_of_the_round_trip_is_taken_for_the_delay_and_may_be_all_wrong(self, offset_s, drift_ppm):
        fit, delays = self.pair(offset_s, drift_ppm).results()
        assert delays[KEY].all.quantile_s(0.5) == pytest.approx(0.003, rel=0.02)
        assert fit.offset_s == pytest.approx(offset_s + drift_ppm * 30e-6 + 0.001, abs=1e-6)
        assert fit.drift_ppm == pytest.approx(drift_ppm, abs=0.01)
        drifting_s, mapping_s = abs(drift_ppm) * 1e-6 / 2, 5e-6
        assert fit.uncertainty_s == pytest.approx(0.003 + drifting_s + mapping_s, abs=1e-6)

    def test_clocks_that_do_not_drift_are_known_to_half_of_the_round_trip(self):
        fit, _ = self.pair(drift_ppm=0.0, there_ns=10_000, back_ns=30_000).results()
        assert fit.uncertainty_s == pytest.approx(0.00002 + 5e-6, abs=1e-7)

    def test_without_a_request_nothing_bounds_the_smallest_delay(self):
        fit, delays = self.pair(asked=False).results()
        assert fit.uncertainty_s is None
        assert fit.drift_ppm == pytest.approx(100, abs=0.01)
        assert delays[KEY].all.count == 60
        assert delays[KEY].all.max_ns < 100_000

    def test_without_chunks_there_is_nothing_to_tell(self):
        assert Pair().results() is None
        assert RunDelays().results() == {}
        pair, raw = Pair(), RawDelays(same_clock=False)
        raw.note_request(5, 7)
        pair.add(KEY, raw, 0)
        assert pair.results() is None


@pytest.mark.parametrize(("early_ns", "method"), [(49_000, "same_clock"), (51_000, "minimum_filter")])
@pytest.mark.parametrize("which", ["chunk", "request"])
def test_one_clock_is_believed_until_an_effect_comes_50_us_before_its_cause(early_ns, method, which):
    pair, raw, offset_ns = Pair(), RawDelays(same_clock=True, hint_ns=-1000 * SECOND_NS), 1000 * SECOND_NS
    for at_ns in range(SECOND_NS, 2 * SECOND_NS, SECOND_NS // 10):
        raw.note_request(at_ns, at_ns + offset_ns + (-early_ns if which == "request" else 1000))
        raw.chunk(at_ns, at_ns + offset_ns + (early_ns if which == "chunk" else -1000))
    pair.add(KEY, raw, offset_ns)
    fit, _ = pair.results()
    assert fit.method == method


@pytest.mark.parametrize("seconds", [16, 17, 40])
def test_names_are_kept_apart_however_long_the_run_is(seconds):
    pair = Pair()
    for second in range(seconds):
        for name, delay_ns in (("quick", 1_000_000), ("slow", 40_000_000)):
            raw = RawDelays(same_clock=True, hint_ns=0)
            raw.chunk(second * SECOND_NS + delay_ns, second * SECOND_NS)
            pair.add((name, "sse"), raw, 0)
            assert pair.newest((name, "sse")).all.max_ns == delay_ns
    _, delays = pair.results()
    assert {name: each.all.count for (name, _), each in delays.items()} == {"quick": seconds, "slow": seconds}
    assert {name: (each.all.min_ns, each.all.max_ns) for (name, _), each in delays.items()} == {
        "quick": (1_000_000, 1_000_000),
        "slow": (40_000_000, 40_000_000),
    }


def test_a_slice_of_a_stepped_clock_counts_only_where_the_server_has_another():
    totals = RunDelays()
    for clock, same in (("here", True), ("there", False)):
        raw, stats = RawDelays(same_clock=same, hint_ns=0 if same else None), StreamStats()
        raw.chunk(SECOND_NS + 1_000_000, SECOND_NS)
        stats.delays[clock] = raw
        totals.add("local", {KEY: stats}, 0, stepped=True)
    assert [fit.method for fit in totals.results()[KEY].fits] == ["minimum_filter"]
