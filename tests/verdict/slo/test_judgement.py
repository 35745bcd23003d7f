"""A run is judged by its rules: figures are pooled exactly, ranges count, and a rule that nothing fed says why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.stats.clocks.alignment import ChunkDelays, Fit
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.slo.grammar import read_rule
from streamgauge.verdict.slo.judgement import judge
from streamgauge.verdict.slo.rule import OPERATORS
from streamgauge.verdict.slo.run_figures import RunFigures

MS = 1_000_000
COUNTED_S = 10.0


def stats_of(*, chunk_ms=(), outcomes=(), **counters):
    stats = StreamStats()
    for name, value in counters.items():
        setattr(stats, name, value)
    for value in chunk_ms:
        stats.chunk_interval.record_ns(round(value * MS))
    stats.outcomes.update(outcomes)
    return stats


@pytest.fixture
def figures():
    many = [Outcome.COMPLETED] * 97 + [Outcome.TRUNCATED] * 2 + [Outcome.ABORTED]
    a = stats_of(started=104, chunks=1000, bytes=50_000, coalesced=100, stalls=13, outcomes=many, chunk_ms=[10] * 99)
    a.outcomes[Outcome.CENSORED] = 4
    b = stats_of(started=10, chunks=500, outcomes=[Outcome.COMPLETED] * 10, chunk_ms=[200])
    c = stats_of(started=6, tokens=300, outcomes=[Outcome.HTTP_ERROR] * 6)
    for share in range(1, 11):
        c.duration_per_token.record_ns(share * 10 * MS)
    return RunFigures({("/a", "sse"): a, ("/b", "sse"): b, ("/b", "ndjson"): c}, COUNTED_S)


def judged(text, figures):
    (found,) = judge([read_rule(text)], figures)
    return found


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("/a/chunk_interval.p99", 0.010),
        ("/b/chunk_interval.min", 0.2),
        ("chunk_interval.max", 0.2),
        ("chunk_interval.count", 100),
        ("chunk_interval.mean", 0.0119),
        ("failed.ratio", 8 / 116),
        ("/a/failed.ratio", 0.02),
        ("/a/failed", 2),
        ("/a/truncated.ratio", 0.02),
        ("/a/completed.ratio", 0.97),
        ("/a/censored.ratio", 4 / 104),
        ("http_error.count", 6),
        ("finished", 120),
        ("finished.per_second", 12),
        ("completed.per_second", 10.7),
        ("started.per_second", 12),
        ("chunks.per_second", 150),
        ("/b/chunks", 500),
        ("bytes.per_second", 5000),
        ("stalls.per_stream", 13 / 120),
        ("coalesced_share", 100 / 1500),
        ("tokens.per_second", 30),
        ("tokens_per_second", 30),
        ("/b/tokens_per_second.p10", 1 / 0.09),
        ("lost", 0),
    ],
)
def test_figures_of_names_and_of_all_streams_are_pooled_exactly(figures, figure, value):
    unit = "s" if "chunk_interval" in figure and "count" not in figure else ""
    found = judged(f"{figure} >= 0{unit}", figures)
    assert found["observed"] == pytest.approx(value, rel=0.01)
    assert (found["passed"], found["range"], found["uncertain"], found["reason"]) == (True, None, False, "")


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("failed == 8", True),
        ("failed != 8", False),
        ("failed < 8", False),
        ("failed <= 8", True),
        ("failed > 8", False),
        ("failed >= 8", True),
        ("/a/completed.ratio > 97%", False),
        ("/a/completed.ratio >= 97%", True),
    ],
)
def test_a_limit_is_a_limit(figures, text, passed):
    assert judged(text, figures)["passed"] is passed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/bb/failed.ratio < 1%", "no stream has the name '/bb'; did you mean '/b'? Names of this run: '/a', '/b'"),
        ("chat/failed.ratio < 1%", "no stream has the name 'chat'. Names of this run: '/a', '/b'"),
        ("duration.p99 < 1s", "no stream has a value of duration"),
        ("chunk_delay.p99 < 1s", "no stream has a value of chunk_delay"),
        ("/a/tokens > 5", "no stream of the name '/a' has a value of tokens; names that have it: '/b'"),
    ],
)  # fmt: skip
def test_a_rule_that_nothing_fed_fails_with_the_names_that_there_are(figures, text, reason):
    rule = read_rule(text)
    assert judged(text, figures) == {
        "rule": text, "observed": None, "passed": False, "limit": rule.limit, "unit": rule.kind.value, "range": None,
        "uncertain": False, "reason": reason,
    }  # fmt: skip


def test_a_run_without_streams_feeds_no_rule():
    assert judged("failed == 0", RunFigures({}, 1.0))["reason"] == "no stream was counted"


@pytest.mark.parametrize(
    ("rule", "metric"), [("a/chunk_interval.p99 < 1s", "chunk_interval"), ("a/failed.ratio < 1", "failed")]
)
def test_a_name_without_values_feeds_no_rule(rule, metric):
    streams = {("a", "sse"): stats_of(started=1), ("b", "sse"): stats_of(chunk_ms=[10], outcomes=[Outcome.COMPLETED])}
    found = judged(rule, RunFigures(streams, 1.0))
    assert found["reason"] == f"no stream of the name 'a' has a value of {metric}; names that have it: 'b'"


@pytest.mark.parametrize(("names", "end"), [(20, "'n19'"), (21, "'n19' and 1 more"), (30, "'n19' and 10 more")])
def test_a_list_of_many_names_is_cut(names, end):
    many = {(f"n{number:02}", "sse"): stats_of(started=1) for number in range(names)}
    assert judged("x/failed == 0", RunFigures(many, 1.0))["reason"].endswith(f"'n18', {end}")


def test_a_share_of_nothing_is_no_figure():
    """Streams are under way, and none has ended yet; the run has just begun."""
    for text in ("failed.ratio < 1%", "chunks.per_second > 1"):
        found = judged(text, RunFigures({("a", "sse"): stats_of(started=1)}, 0.0))
        assert (found["observed"], found["passed"]) == (None, False)


@pytest.mark.parametrize("order", [1, -1], ids=["one name first", "all names first"])
def test_rules_on_one_name_and_on_all_streams_each_get_their_own_figure(order):
    """Each figure is of several protocols, so that it is merged and kept."""
    every = {
        (name, protocol): stats_of(started=1, tokens=10, chunk_ms=[10 * number])
        for number, (name, protocol) in enumerate([("a", "sse"), ("a", "ndjson"), ("b", "sse"), ("b", "ndjson")], 1)
    }
    for number, stats in enumerate(every.values(), 1):
        stats.duration_per_token.record_ns(number * 10 * MS)
    delays = {key: ChunkDelays(fits=[Fit("same_clock", 0.0, 0.0, 0.001)]) for key in every}
    for number, found in enumerate(delays.values(), 1):
        found.delays.record_ns(number * 10 * MS)
    figures = {
        "a/chunk_interval.max <= 1s": 0.02, "chunk_interval.max <= 1s": 0.04, "b/chunk_interval.max <= 1s": 0.04,
        "a/tokens_per_second.p1 > 1": 50, "tokens_per_second.p1 > 1": 25,
        "a/tokens_per_second > 1": 20, "tokens_per_second > 1": 40,
        "a/chunk_delay.max < 1s": 0.02, "chunk_delay.max < 1s": 0.04, "a/chunk_delay.count >= 2": 2,
    }  # fmt: skip
    texts = list(figures)[::order]
    found = judge(map(read_rule, texts), RunFigures(every, 1.0, lambda: delays))
    assert {each["rule"]: each["observed"] for each in found} == pytest.approx(figures, rel=0.01)
    assert {each["rule"]: each["range"] for each in found}["a/chunk_delay.count >= 2"] is None


@pytest.mark.parametrize(
    ("limit", "passed", "uncertain"),
    [
        ("< 61ms", True, False),
        ("< 50ms", True, True),
        ("< 40ms", False, True),
        ("< 30ms", False, False),
        ("> 29ms", True, False),
        ("> 40ms", True, True),
        ("> 50ms", False, True),
        ("> 60ms", False, False),
        ("== 45ms", False, True),
        ("!= 45ms", True, True),
        ("== 90ms", False, False),
        ("!= 90ms", True, False),
    ],
)
def test_a_value_that_is_known_as_a_range_decides_only_if_the_range_does_not(limit, passed, uncertain):
    stats = StreamStats()
    stats.chunk_interval.record_between_ns(44 * MS, 30 * MS, 60 * MS, 50)
    found = judged(
        f"chunk_interval.max {limit}",
        RunFigures({("a", "sse"): stats_of(started=1), ("b", "sse"): counted(stats)}, 1.0),
    )
    assert (found["passed"], found["uncertain"]) == (passed, uncertain)
    assert found["range"] == pytest.approx((0.03, 0.06), rel=0.01)


def counted(stats):
    stats.started = 1
    return stats


@pytest.mark.parametrize(
    ("uncertainty_s", "limit", "range_s", "passed", "uncertain"),
    [
        (0.0, "< 25ms", None, True, False),
        (0.01, "< 25ms", (0.01, 0.03), True, True),
        (None, "< 1s", (0.02, None), True, True),
        (None, "< 10ms", (0.02, None), False, False),
    ],
)
def test_what_is_unknown_of_the_clocks_widens_the_range_of_a_delay(uncertainty_s, limit, range_s, passed, uncertain):
    delays = ChunkDelays(fits=[Fit("minimum_filter", 0.0, 0.0, uncertainty_s)])
    delays.delays.record_ns(20 * MS)
    key = ("a", "sse")
    found = judged(f"chunk_delay.max {limit}", RunFigures({key: stats_of(started=1)}, 1.0, lambda: {key: delays}))
    assert (found["passed"], found["uncertain"]) == (passed, uncertain)
    given: Any = found["range"]
    assert given == (None if range_s is None else pytest.approx(range_s))


@given(
    sign=st.sampled_from(list(OPERATORS)),
    ends=st.lists(st.integers(0, 6), min_size=3, max_size=3),
    limit=st.integers(0, 6),
)
def test_a_rule_holds_always_or_never_just_if_each_value_of_the_range_says_so(sign, ends, limit):
    least, value, most = sorted(ends)
    rule = read_rule(f"chunks {sign} {limit}")
    each = {rule.holds(at / 2) for at in range(2 * least, 2 * most + 1)}
    assert rule.always_holds(least, most) is (each == {True})
    assert rule.never_holds(least, most) is (each == {False})
    assert rule.holds(value) in each
