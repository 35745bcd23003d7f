"""What a run comes to: of every field of every slice, and of every field that a second and a process have."""

import dataclasses

import pytest

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.alignment import MAX_PARTS, RunDelays
from streamgauge.stats.generator_stats import GeneratorStats
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import Process
from streamgauge.stats.run_second import SUMS, NameSecond, RunSecond, Times
from streamgauge.stats.run_stats import OPEN_SECONDS, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from tests.stats.filled import KEYS, OFFSET_NS, fields_of, filled, plain, raw_delays

BUSY_CPU = 0.5
#: Fields that say how a process did, and not what it counted: the worst of them is the run's.
WORST = {"longest_pause_s": "longest_pause_s", "longest_stopped_s": "longest_stopped_s", "cpu": "cpu_max"}
#: Fields that are added up as they are called.
ADDED_UP = {
    *("lag", "hub_lag", "reads", "fallbacks", "clock_steps", "refusal_pauses", "refusal_pause_s"),
    *("scheduled_arrivals", "late_starts", "capped_starts", "dropped_arrivals", "lost_arrivals", "cut_by_shape"),
}
OF_A_PROCESS = {"waited_s", "stopped_s"}
#: What makes a slice's place, and what has a test of its own.
OTHERWISE = {"t_s", "active", "all_stats", "wall_offset_ns", "options_used", "names_left_out"}
#: What a run is told by others, and how it keeps its seconds.
NOT_OF_SLICES = {"problems", "failings", "_closed_before", "_lines", "_names", "last_s"}


def parts_of_a_run():
    """Two slices of the same second."""
    parts = [filled(SecondReport, number) for number in (1, 2)]
    for part, cpu in zip(parts, (0.75, 0.25), strict=True):
        part.t_s, part.cpu = 3, cpu
    return parts


def run_of(*parts):
    run_stats = RunStats()
    for at, part in enumerate(parts):
        run_stats.add(f"process {at}", part, BUSY_CPU)
    return run_stats


@pytest.fixture(params=[(0, 1), (1, 0)], ids=["in order", "the other way round"])
def both(request):
    """A run of two slices that came in either order, and the slices."""
    parts = [parts_of_a_run()[at] for at in request.param]
    return run_of(*parts), parts


def test_every_field_of_a_slice_and_of_a_run_is_looked_at_here():
    assert set(fields_of(SecondReport)) == ADDED_UP | set(WORST) | OF_A_PROCESS | OTHERWISE
    of_slices = (
        ADDED_UP
        | set(WORST.values())
        | {"all_stats", "seconds", "delays", "processes", "options_used", "_left_out_by_processes"}
    )
    assert {*vars(RunStats()), *fields_of(GeneratorStats)} == of_slices | NOT_OF_SLICES


@pytest.mark.parametrize("name", sorted(ADDED_UP))
def test_a_run_adds_up(both, name):
    run_stats, _ = both
    assert plain(getattr(run_stats, name)) == plain(getattr(filled(SecondReport, 1, 2), name))


def test_a_run_adds_up_the_names_that_its_processes_left_out(both):
    run_stats, parts = both
    assert run_stats.names_left_out == sum(part.names_left_out for part in parts) != 0


@pytest.mark.parametrize(("field", "name"), WORST.items())
def test_a_run_has_the_worst(both, field, name):
    run_stats, parts = both
    assert getattr(run_stats, name) == max(getattr(part, field) for part in parts) != 0


def test_a_run_has_what_every_process_did(both):
    run_stats, parts = both
    assert list(run_stats.processes) == ["process 0", "process 1"]
    for process, part in zip(run_stats.processes.values(), parts, strict=True):
        expected = {"seconds": 1, "busy_seconds": int(part.cpu > BUSY_CPU)}
        expected |= {name: getattr(part, name) for name in OF_A_PROCESS}
        assert dataclasses.asdict(process) == expected
        assert set(expected) == set(fields_of(Process))


def test_a_process_adds_up_its_seconds():
    run_stats = RunStats()
    for part in parts_of_a_run():
        run_stats.add("one", part, BUSY_CPU)
    whole = filled(SecondReport, 1, 2)
    assert run_stats.processes == {"one": Process(2, 1, whole.waited_s, whole.stopped_s)}


def test_a_run_knows_which_options_were_used_in_any_process(both):
    run_stats, parts = both
    of_first = {option for part in parts for option in part.options_used["First"]}
    assert run_stats.options_used == {"First": of_first, "Second": {"same"}}
    assert len(of_first) == 2


def test_a_run_merges_its_tallies_by_name(both):
    run_stats, parts = both
    assert list(run_stats.all_stats) == list(KEYS)
    for key, stats in run_stats.all_stats.items():
        expected = StreamStats()
        for part in parts:
            expected.merge(part.all_stats[key])
        assert plain(stats) == plain(expected)


@pytest.mark.parametrize("later_s", [0, OPEN_SECONDS + 1], ids=["open", "closed"])
def test_a_second_adds_up_over_names_and_processes_and_keeps_it_when_it_is_closed(both, later_s):
    run_stats, parts = both
    run_stats.add("process 0", SecondReport(3 + later_s, 0), BUSY_CPU) if later_s else None
    second = run_stats.seconds[3]
    assert (second.all_stats is None) == bool(later_s)
    assert (second.active, bool(second.active_by)) == (sum(part.active for part in parts), not later_s)
    all_stats = [stats for part in parts for stats in part.all_stats.values()]
    expected = {name: sum(getattr(stats, name) for stats in all_stats) for name in SUMS}
    assert {name: getattr(second, name) for name in SUMS} == expected
    chunks_by = {key: sum(part.all_stats[key].chunks for part in parts) for key in KEYS}
    assert second.chunks_by == ({} if later_s else chunks_by)
    assert second.times() == Times.of(merged(all_stats))
    named = run_stats.names(second)
    assert set(named) == set(KEYS)
    for key, found in named.items():
        stats = merged([part.all_stats[key] for part in parts])
        counts = {name: getattr(stats, name) for name in SUMS}
        assert {name: getattr(found, name) for name in fields_of(NameSecond)} == counts | {"times": found.times}
        assert found.times == Times.of(stats) != Times()


def merged(all_stats):
    """All of them, but for which of the first chunks were those of streams that failed: a second does not ask."""
    whole = StreamStats()
    for stats in all_stats:
        whole.merge(stats)
    whole.time_to_first_chunk.failed = StreamStats().time_to_first_chunk.failed
    return whole


def test_every_field_of_a_second_is_looked_at_here():
    counts = set(SUMS)
    assert set(fields_of(NameSecond)) == counts | {"times"}
    kept = {"arrivals", "active_by", "active_closed", "all_stats", "chunks_by", "closed_times", "closed_names"}
    assert set(fields_of(RunSecond)) == counts | kept


def test_a_second_adds_up_what_became_of_arrivals(both):
    run_stats, parts = both
    assert run_stats.seconds[3].arrivals == {
        name: sum(getattr(part, name) for part in parts)
        for name in ("scheduled_arrivals", "late_starts", "dropped_arrivals")
    }


def test_what_comes_after_a_second_was_closed_adds_to_every_count():
    second, key = RunSecond(), KEYS[0]
    second.add(key, filled(StreamStats, 1))
    second.close(lambda key: key)
    second.add(key, filled(StreamStats, 2))
    second.add(KEYS[1], filled(StreamStats, 2))
    both, late = filled(StreamStats, 1, 2), filled(StreamStats, 2)
    for name in SUMS:
        assert getattr(second.closed_names[key], name) == getattr(both, name) != 0
        assert getattr(second.closed_names[KEYS[1]], name) == getattr(late, name)
        assert getattr(second, name) == getattr(both, name) + getattr(late, name)


@pytest.mark.parametrize(
    ("changes", "method"),
    [({}, "same_clock"), ({"wall_offset_ns": -OFFSET_NS - 50_000_000}, "minimum_filter"), ({"clock_steps": 1}, None)],
    ids=["as it is", "the clocks are apart", "the clock stepped"],
)
def test_a_run_aligns_the_delays_of_its_slices(changes, method):
    parts = parts_of_a_run()
    for part in parts:
        part.wall_offset_ns, part.clock_steps = -OFFSET_NS, 0
        for name, value in changes.items():
            setattr(part, name, value)
    found = run_of(*parts).delays.results()
    assert {fit.method for each in found.values() for fit in each.fits} == ({method} if method else set())
    for key, each in found.items():
        counts = [raw.delays.all.count for part in parts for raw in part.all_stats[key].delays.values()]
        assert (each.delays.all.count, len(each.fits)) == (sum(counts), len(counts))


@pytest.mark.parametrize("same_clock", [True, False])
@pytest.mark.parametrize("second_reports", [1, 2 * MAX_PARTS + 3])
def test_delays_add_up_over_processes_clocks_names_and_slices(same_clock, second_reports):
    run_stats, expected = RunDelays(), {}
    number = 0
    for _ in range(second_reports):
        for process in ("p", "q"):
            all_stats: dict[Key, StreamStats] = {}
            for key in KEYS:
                stats = all_stats[key] = StreamStats()
                for clock in ("one", "other"):
                    number += 1
                    stats.delays[clock] = raw_delays(number, same_clock=same_clock)
                    expected.setdefault(key, []).append(stats.delays[clock].delays)
            run_stats.add(process, all_stats, 1_700_000_000_000_000_000, stepped=False)
    found = run_stats.results()
    assert set(found) == set(KEYS)
    for key, all_of in found.items():
        assert len(all_of.fits) == 4
        for part in fields_of(BoundedTimes):
            counts = [getattr(each, part).count for each in expected[key]]
            assert getattr(all_of.delays, part).count == sum(counts)
            assert all(counts)
