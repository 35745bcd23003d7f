"""SLO rules are read as they are written, and a wrong part is named with the nearest right ones."""

import re

import pytest

from streamgauge.verdict.slo.grammar import MOST_RULES, UNITS, read_rule, read_rules
from streamgauge.verdict.slo.rule import OPERATORS
from streamgauge.verdict.slo.ruled_metrics import METRICS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("time_to_first_chunk.p99 < 200ms", (None, "time_to_first_chunk", "p99", "<", 0.2)),
        ("chat/chunk_interval.p99 <= 150ms", ("chat", "chunk_interval", "p99", "<=", 0.15)),
        ("/stream/sse/duration.p95<7.5s", ("/stream/sse", "duration", "p95", "<", 7.5)),
        ("GET a<b>=c/d/failed.ratio < 1 %", ("GET a<b>=c/d", "failed", "ratio", "<", 0.01)),
        ("/dir//chunks > 9", ("/dir/", "chunks", "count", ">", 9)),
        ("  failed.ratio  <  0.1%  ", (None, "failed", "ratio", "<", 0.001)),
        ("failed.ratio <= 0.7%", (None, "failed", "ratio", "<=", 0.007)),
        ("completed.ratio > 99%", (None, "completed", "ratio", ">", 0.99)),
        ("http_error.count == 0", (None, "http_error", "count", "==", 0)),
        ("http_error == 0", (None, "http_error", "count", "==", 0)),
        ("stalls.per_stream < 0.01", (None, "stalls", "per_stream", "<", 0.01)),
        ("coalesced_share < 50%", (None, "coalesced_share", "ratio", "<", 0.5)),
        ("chunks.per_second >= 1e3/s", (None, "chunks", "per_second", ">=", 1000)),
        ("bytes.per_second > 1.5MiB/s", (None, "bytes", "per_second", ">", 1.5 * 1024**2)),
        ("bytes < 500kB", (None, "bytes", "count", "<", 500_000)),
        ("time_per_output_token.mean < 40000µs", (None, "time_per_output_token", "mean", "<", 0.04)),
        ("duration.p50 < 5\N{GREEK SMALL LETTER MU}s", (None, "duration", "p50", "<", 5e-6)),
        ("tokens_per_second.p10 > 20", (None, "tokens_per_second", "p10", ">", 20)),
        ("tokens_per_second > 20", (None, "tokens_per_second", "in_all", ">", 20)),
        ("duration.max < 2min", (None, "duration", "max", "<", 120)),
    ],
)
def test_a_rule_is_read_in_its_parts_and_its_base_unit(text, parts):
    rule = read_rule(text)
    assert (rule.name, rule.metric, rule.stat, rule.operator, rule.limit) == parts
    assert rule.text == text.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "time_to_first_chunck.p99 < 1s",
            ("unknown metric 'time_to_first_chunck'", "did you mean time_to_first_chunk"),
        ),
        ("chat/failled.ratio < 1%", ("unknown metric 'failled'", "did you mean failed")),
        ("latency.p99 < 1s", ("unknown metric 'latency'",)),
        ("xyz < 1s", ("unknown metric 'xyz'; the metrics are time_to_first_chunk, ", "connect_error")),
        ("chunk_interval.p98 < 1s", ("chunk_interval has no statistic 'p98'", "did you mean p99", "p999")),
        ("chunk_interval < 1s", ("a statistic after chunk_interval, such as chunk_interval.p99",)),
        ("failed.p99 < 1s", ("failed has no statistic 'p99'; the statistics are ratio, count, per_second",)),
        ("chunk_interval.p99 < 100", ("a duration with its unit, such as 200ms", "got '100'", "µs")),
        ("chunk_interval.p99 < 100sec", ("got '100sec'", "min")),
        ("chunk_interval.p99 < ", ("a duration", "got ''")),
        ("failed.ratio < 3ms", ("a share, such as 0.1%", "got '3ms'")),
        ("completed.ratio > 99", ("a share of at most 100% or 1, got '99'",)),
        ("chunks > -1", ("a number", "got '-1'")),
        ("chunks > 9%", ("a number", "got '9%'")),
        ("chunks > ٣", ("a number", "got '٣'")),
        ("chunks => 1", ("an operator (< <= > >= == !=), got '=>'",)),
        ("chunks = 1", ("got '='",)),
        ("/chunks > 1", ("the name of streams before /chunks",)),
        ("chunks.per_second", ("a rule such as time_to_first_chunk.p99 < 200ms",)),
        ("< 5", ("a rule such as",)),
    ],
)
def test_a_wrong_part_is_named_with_the_nearest_right_ones(text, words):
    with pytest.raises(ValueError, match=re.escape(f"{text.strip()!r}: ")) as raised:
        read_rule(text)
    said = str(raised.value)
    assert [word for word in words if word not in said] == [], said


STATISTICS = "mean, min, max, p50, p90, p95, p99, p999, count"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duration", "expected a rule such as time_to_first_chunk.p99 < 200ms: METRIC.STAT, an operator, a value"),
        ("duration < 1s", f"expected a statistic after duration, such as duration.p99: one of {STATISTICS}"),
        ("duration.p9 < 1s",
         f"duration has no statistic 'p9'; did you mean p99 or p95 or p90? the statistics are {STATISTICS}"),
        ("chunkz > 1", "unknown metric 'chunkz'; did you mean chunks or chunk_delay or without_chunks?"),
        ("duration.p99 < 5",
         "expected a duration with its unit, such as 200ms or 1.5s, got '5' (units: ns, µs, us, ms, s, min, h)"),
        ("chunks > 9%", "expected a number, such as 100, got '9%' (units: none)"),
        ("failed.ratio > 1.01", "expected a share of at most 100% or 1, got '1.01'"),
    ],
)  # fmt: skip
def test_an_error_says_all_that_is_possible(text, said):
    with pytest.raises(ValueError, match=f"^{re.escape(f'{text!r}: {said}')}$"):
        read_rule(text)


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_statistic_and_unit_can_be_ruled(metric, sign):
    for stat, kind in metric.stats.items():
        for unit, factor in UNITS[kind].items():
            rule = read_rule(f"a/b/{metric.name}.{stat}{sign}1{unit}")
            assert (rule.name, rule.metric, rule.stat, rule.operator) == ("a/b", metric.name, stat, sign)
            assert (rule.kind, rule.limit) == (kind, float(factor))


def test_each_line_is_a_rule_and_repeated_ones_count_once():
    rules = read_rules("failed == 0\r\n\n chunks > 1 \rfailed == 0\n")
    assert [rule.text for rule in rules] == ["failed == 0", "chunks > 1"]
    assert read_rules("") == ()


def test_the_number_of_rules_has_a_limit():
    lines = [f"chunks > {number}" for number in range(MOST_RULES + 1)]
    assert len(read_rules("\n".join(lines[1:]))) == MOST_RULES
    with pytest.raises(ValueError, match=f"at most {MOST_RULES} rules, got {MOST_RULES + 1}"):
        read_rules("\n".join(lines))
