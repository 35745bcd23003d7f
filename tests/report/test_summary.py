import json

import pytest

from streamgauge.report import hdr
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram


def test_percentiles_mean_and_extremes_are_in_seconds() -> None:
    histogram = Histogram()
    for value_ms in range(1, 101):
        histogram.record_ns(value_ms * 1_000_000)
    found = summary(histogram)
    assert (found["count"], found["min"], found["max"]) == (100, 0.001, 0.1)
    assert found["mean"] == pytest.approx(0.0505)
    expected = {"p50": 0.05, "p90": 0.09, "p95": 0.095, "p99": 0.099, "p999": 0.1}
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=found["error"])  # type: ignore[literal-required]
    assert hdr.decode(found["hdr"]).count == 100


def test_nothing_measured_is_none_and_not_zero() -> None:
    found = summary(Histogram())
    assert found["count"] == 0
    assert [found[key] for key in ("mean", "min", "max", "p50", "p999")] == [None] * 5  # type: ignore[literal-required]
    assert json.loads(json.dumps(found, allow_nan=False))["p99"] is None


def test_undetermined_percentiles_are_passed_on() -> None:
    assert summary(Histogram(), {"p50": (0.001, 0.002)})["uncertain"] == {"p50": (0.001, 0.002)}
