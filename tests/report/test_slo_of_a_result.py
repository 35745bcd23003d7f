"""Every figure of a result's streams can be ruled, and a rule observes what the result says."""

from collections import Counter
from typing import Any

import pytest

from streamgauge.report.build import build_result
from streamgauge.report.result import NamedStreams, Run
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.verdict.slo.grammar import read_rules
from streamgauge.verdict.slo.ruled_metrics import METRICS
from streamgauge.verdict.slo.run_figures import RunFigures
from tests.report.test_every_field import MS, RUN, VALUES, tally_of
from tests.stats.filled import OFFSET_NS, raw_delays

#: What a result says of streams beside their figures.
OTHERWISE = {"name", "protocol", "outcomes", "chunk_delay_clock", "reasons", "slowest"}
COUNTED_S = RUN["duration_s"]


@pytest.fixture(scope="module")
def run_stats() -> RunStats:
    """The statistics of one name that has all of everything."""
    stats = tally_of(
        coalesced=20, started=71, chunks=500, bytes=73, heartbeats=74, stalls=75, prompt_tokens=9, tokens=81
    )
    for metric, times in VALUES.items():
        getattr(stats, metric).record_between_ns(times * MS, (times - 10) * MS, (times + 10) * MS, times)
    stats.duration_per_token.record_ns(125 * MS)
    stats.delays = {"clock": raw_delays(3)}
    part = SecondReport(0, 1, {("a", "sse"): stats})
    part.wall_offset_ns = -OFFSET_NS
    found = RunStats()
    found.add("local", part, 0.95)
    return found


@pytest.fixture(scope="module")
def streams(run_stats: RunStats) -> NamedStreams:
    (found,) = build_result(RUN, run_stats)["streams"]
    return found


def test_every_key_of_a_result_can_be_ruled(streams: NamedStreams) -> None:
    assert set(streams) - OTHERWISE <= set(METRICS)
    for key in set(streams) - OTHERWISE:
        found: Any = streams[key]  # type: ignore[literal-required]
        if isinstance(found, dict):
            assert set(METRICS[key].stats) >= set(found) - {"error", "uncertain", "samples_needed", "hdr"}, key


def test_a_rule_observes_what_the_result_says(streams: NamedStreams, run_stats: RunStats) -> None:
    figures = RunFigures.of_run(run_stats, COUNTED_S)
    for metric in METRICS.values():
        for stat in metric.stats:
            figure = figures.figure("a", metric.name, stat)
            assert figure is not None, (metric.name, stat)
            said = expected(streams, metric.name, stat)
            assert (figure.value, figure.least <= figure.value <= figure.most) == (pytest.approx(said), True)


def expected(streams: NamedStreams, metric: str, stat: str) -> float:
    """What the result says, or what follows from it."""
    found: Any = streams.get(metric)
    if isinstance(found, dict):
        value: float = found[stat]
        return value
    outcomes = Counter(streams["outcomes"])
    if found is None:
        found = {"finished": outcomes.total(), "failed": 0}.get(metric, outcomes[metric])
    whole = {"per_second": COUNTED_S, "per_stream": streams["started"], "count": 1}
    whole["ratio"] = 1 if metric == "coalesced_share" else outcomes.total()
    return found / whole[stat]


def test_ranges_are_those_of_the_result(streams: NamedStreams, run_stats: RunStats) -> None:
    figures = RunFigures.of_run(run_stats, COUNTED_S)
    for stat, between in streams["chunk_interval"]["uncertain"].items():
        figure = figures.figure(None, "chunk_interval", stat)
        assert figure is not None
        assert (figure.least, figure.most) == pytest.approx(between)
    assert "p99" in streams["chunk_interval"]["uncertain"]


@pytest.mark.parametrize(
    ("rules", "failing", "started", "exit_code"),
    [
        ("", 0, 1, 0),
        ("", 1, 1, 1),
        ("failed.ratio <= 50%", 1, 2, 0),
        ("failed.ratio <= 50%\nchunks > 1e9", 1, 2, 1),
        ("chunks > 1e9", 0, 1, 1),
        ("failed == 0", 0, 0, 3),
    ],
)
def test_rules_decide_instead_of_failed_streams_but_not_over_a_run_that_cannot_be_trusted(
    rules: str, failing: int, started: int, exit_code: int
) -> None:
    stats = tally_of(chunks=started)
    stats.outcomes.clear()
    stats.outcomes.update(truncated=failing, completed=started - failing)
    stats.outcomes += Counter()
    counted = RunStats()
    if started:
        counted.add("local", SecondReport(0, 0, {("a", "sse"): stats}), 0.95)
    run: Run = {**RUN}
    verdict = build_result(run, counted, rules=read_rules(rules))["verdict"]
    assert (verdict["exit_code"], len(verdict["slo"])) == (exit_code, len(read_rules(rules)))
