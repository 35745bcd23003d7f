"""Every count of every slice comes to what is shown, and all that is shown comes from one: no field is forgotten."""

import json
from collections import Counter

import pytest

from streamgauge.catalog import CATALOG, CLIENT, CLIENT_LABELS
from streamgauge.exporter.counts import Buckets, NameCounts
from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.alignment import MAPPING_NS
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from tests.stats.filled import KEYS, OFFSET_NS, bounded_times, filled, histogram, plain, sizes

#: What each metric of a name shows of the tallies of that name.
SHOWS = {
    "started_total": "started",
    "chunks_total": "chunks",
    "body_bytes_total": "bytes",
    "stalls_total": "stalls",
    "coalesced_chunks_total": "coalesced",
    "time_to_first_chunk_seconds": "time_to_first_chunk",
    "chunk_interval_seconds": "chunk_interval",
    "duration_seconds": "duration",
    "chunk_size_bytes": "chunk_sizes",
    "prompt_tokens_total": "prompt_tokens",
    "output_tokens_total": "tokens",
    "time_per_output_token_seconds": "time_per_output_token",
    "start_delay_seconds": "start_delay",
}
#: What has a test of its own.
OTHERWISE = {"active", "finished_total", "chunk_delay_seconds"}
BOUNDS_S = CATALOG["stream_client_duration_seconds"].buckets


def second_reports():
    """Two of one process, of the same names; the server's clock is this machine's."""
    parts = [filled(SecondReport, number) for number in (1, 2)]
    for part in parts:
        part.clock_steps, part.wall_offset_ns = 0, -OFFSET_NS
    return parts


@pytest.fixture
def shown(state):
    """What is shown after two processes had two slices each, and the tallies by name."""
    all_stats = {key: StreamStats() for key in KEYS}
    state.look(3, ("p", "q"))
    for process in ("p", "q"):
        parts = [SecondReport.from_dict(json.loads(json.dumps(part.to_dict()))) for part in second_reports()]
        state.add(process, parts)
        for part in parts:
            for key, stats in part.all_stats.items():
                all_stats[key].merge(stats)
    return state.read(), all_stats


def of_name(readings, metric, key):
    return dict(readings[f"stream_client_{metric}"])[key]


def test_every_metric_of_a_name_is_looked_at_here():
    names = {each.name.removeprefix("stream_client_") for each in CLIENT if each.labels[:2] == CLIENT_LABELS[:2]}
    assert names == set(SHOWS) | OTHERWISE


@pytest.mark.parametrize(("metric", "field"), SHOWS.items())
def test_a_metric_shows_the_sum_of_its_field(shown, metric, field):
    readings, all_stats = shown
    for key, stats in all_stats.items():
        found, whole = of_name(readings, metric, key), getattr(stats, field)
        if field == "chunk_sizes":
            assert (found.counts, found.total) == (whole.counts, whole.sum_bytes)
        elif isinstance(found, Buckets):
            whole = whole.all if isinstance(whole, BoundedTimes) else whole
            assert (sum(found.counts), found.total, found.counts[-1]) == (whole.count, whole.sum_ns, whole.clipped)
            assert 0 < whole.clipped < whole.count
        else:
            assert found == whole != 0


@pytest.mark.parametrize("counter", ["scheduled_arrivals", "late_starts", "dropped_arrivals"])
def test_each_process_has_its_own_arrivals(shown, counter):
    found = dict(shown[0][f"stream_client_{counter}_total"])
    assert found == dict.fromkeys([("p",), ("q",)], getattr(filled(SecondReport, 1, 2), counter))


def test_no_two_metrics_can_be_taken_for_each_other(shown):
    readings, _ = shown
    for key in KEYS:
        found = [of_name(readings, metric, key) for metric in SHOWS]
        values = [each.total if isinstance(each, Buckets) else each for each in found]
        assert len(set(values)) == len(SHOWS)


def test_streams_are_under_way_or_have_ended_in_every_outcome(shown):
    readings, all_stats = shown
    finished = readings["stream_client_finished_total"]
    for key, stats in all_stats.items():
        ended = Counter({outcome: times for (*found, outcome), times in finished if tuple(found) == key})
        assert ended == stats.outcomes
        assert len(set(ended.values())) == len(ended)
        assert of_name(readings, "active", key) == max(0, stats.started - stats.finished)


def test_delays_are_those_of_all_clocks_and_processes(shown):
    readings, _ = shown
    for key in KEYS:
        raw = [each for part in second_reports() for each in part.all_stats[key].delays.values()]
        found = of_name(readings, "chunk_delay_seconds", key)
        count = 2 * sum(each.delays.all.count for each in raw)
        assert sum(found.counts) == count
        assert found.total == pytest.approx(2 * sum(each.delays.all.sum_ns for each in raw), abs=count * MAPPING_NS)


def test_each_process_has_its_own_lag(shown):
    readings, _ = shown
    whole = filled(SecondReport, 1, 2).lag
    for process in ("p", "q"):
        found = dict(readings["stream_client_generator_lag_seconds"])[(process,)]
        assert (sum(found.counts), found.total) == (whole.count, whole.sum_ns)


def test_active_streams_are_those_that_began_and_did_not_end(state):
    stats = filled(StreamStats, 1)
    stats.started = stats.finished + 5
    state.look(3, ("p", "q"))
    for process in ("p", "q"):
        state.add(process, [SecondReport(0, 0, {KEYS[0]: stats})])
    assert of_name(state.read(), "active", KEYS[0]) == 10


def test_counts_grow_in_every_field_that_they_have():
    counts, other = NameCounts("sse"), NameCounts("sse")
    counts.add(filled(StreamStats, 1))
    counts.add_delays(bounded_times(1))
    grown = {name for name, value in every(counts).items() if plain_of(value) != plain_of(every(other)[name])}
    assert grown == set(every(counts)) - {"ended_s", "_settles", "_left"}


def every(counts):
    """All that it counts, by field or metric."""
    fields = dict(vars(counts))
    return {**fields.pop("counters"), **fields.pop("histograms"), **fields}


def plain_of(value):
    return (value.counts, value.total) if isinstance(value, Buckets) else plain(value)


def test_buckets_add_up_in_every_field_and_a_copy_has_each():
    buckets, whole = Buckets(BOUNDS_S, 1e9), Buckets(BOUNDS_S, 1e9)
    for number in (1, 2):
        buckets.add(histogram(number))
    whole.add(histogram(1, 2))
    copied = buckets.copy()
    for name in Buckets.__slots__:
        assert getattr(buckets, name) == getattr(whole, name) == getattr(copied, name) != 0


def test_sizes_add_up_in_every_field():
    buckets = Buckets(CATALOG["stream_client_chunk_size_bytes"].buckets)
    for number in (1, 2):
        buckets.add(sizes(number))
    assert (buckets.counts, buckets.total) == (sizes(1, 2).counts, sizes(1, 2).sum_bytes)
