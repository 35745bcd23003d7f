"""Each figure of a calibration beside its neighbours: what is kept, and what is printed."""

import io

import pytest
from rich.console import Console

from streamgauge.calibrate.calibration_run import commonest
from streamgauge.calibrate.figures import CalibrationError, calibration_of
from streamgauge.calibrate.truth import Stream
from streamgauge.report.calibration_text import print_calibration

US = 1000
LOAD = {"users": 40, "interval_s": 0.02, "chunk_bytes": 100, "run_time_s": 10}
CLIENT = {
    "time_to_first_chunk": {"p50": 0.0006, "p90": 0.0011, "p99": 0.0013},
    "chunk_interval": {"p50": 0.0201, "p90": 0.0302, "p99": 0.0403},
}


def stream(number):
    """Of a hundred, the one whose times are the ``number``-th: each kind of time has numbers of its own."""
    before = [number * 10 * US, number * 10 * US + 1_000_000 * number]
    after = [moment + 3 * US for moment in before]
    return Stream(0, number * 2 * US, before, after, first_arrival_ns=before[0] + number * 100)


def result(chunks=200):
    return {
        "streams": [{"chunks": chunks, **CLIENT}],
        "generator": {"lag": {"p50": 0.00011, "p99": 0.00022, "max": 0.00033}, "cpu_max": 0.44},
        "verdict": {"trust": "degraded", "reasons": ["it was busy"]},
    }


@pytest.fixture
def calibration():
    return calibration_of(result(), [stream(number) for number in range(1, 101)], LOAD)


def test_each_percentile_is_beside_the_same_of_the_log(calibration):
    first, interval = (calibration["metrics"][metric] for metric in CLIENT)
    for percentile, number in {"p50": 50, "p90": 90, "p99": 99}.items():
        log_s = number * 10e-6
        assert first[percentile] == pytest.approx(
            {
                "client": CLIENT["time_to_first_chunk"][percentile],
                "log": log_s,
                "difference": CLIENT["time_to_first_chunk"][percentile] - log_s,
                "least": log_s,
                "most": log_s + 3e-6,
            }
        )
        log_s = number * 1e-3
        assert interval[percentile] == pytest.approx(
            {
                "client": CLIENT["chunk_interval"][percentile],
                "log": log_s,
                "difference": CLIENT["chunk_interval"][percentile] - log_s,
                "least": log_s - 3e-6,
                "most": log_s + 3e-6,
            }
        )


def test_the_floor_is_the_largest_difference_either_way(calibration):
    first, interval = 0.0013 - 0.00099, 0.09 - 0.0302
    assert calibration["floor"] == pytest.approx({"time_to_first_chunk": first, "chunk_interval": interval})


def test_what_it_rests_on_is_kept_apart(calibration):
    assert calibration["arrival_error"] == pytest.approx({"p50": 5e-6, "p99": 9.9e-6, "max": 10e-6})
    assert calibration["asking"] == pytest.approx({"p50": 100e-6, "p99": 198e-6, "max": 200e-6})
    assert calibration["lag"] == {"p50": 0.00011, "p99": 0.00022, "max": 0.00033}
    assert calibration["cpu_max"] == 0.44
    assert calibration["load"] == {**LOAD, "streams": 100, "chunks": 200}
    assert (calibration["trust"], calibration["reasons"]) == ("degraded", ["it was busy"])


@pytest.mark.parametrize("chunks", [199, 201])
def test_a_chunk_too_few_or_too_many_is_no_calibration(chunks):
    with pytest.raises(CalibrationError, match=f"received {chunks} chunks, but the source sent 200"):
        calibration_of(result(chunks), [stream(number) for number in range(1, 101)], LOAD)


def test_each_number_is_printed_in_its_place(calibration):
    out = io.StringIO()
    print_calibration(calibration, Console(file=out, width=200))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0] == "client source's log difference"
    assert lines[2:8] == [
        "time to first chunk p50 600 µs 500 µs +100 µs",
        "p90 1.10 ms 900 µs +200 µs",
        "p99 1.30 ms 990 µs +310 µs",
        "chunk interval p50 20.1 ms 50.0 ms -29.9 ms",
        "p90 30.2 ms 90.0 ms -59.8 ms",
        "p99 40.3 ms 99.0 ms -58.7 ms",
    ]
    text = " ".join(lines)
    assert "send → arrival p50 5.00 µs, p99 9.90 µs, max 10.0 µs" in text
    assert "start → request p50 100 µs, p99 198 µs, max 200 µs" in text
    assert "generator lag p50 110 µs, p99 220 µs, max 330 µs" in text
    assert "generator CPU max 44.0 %: 100 streams, 200 chunks" in text
    assert "At 40 streams × 50 chunks/s" in text
    assert "chunk intervals to within ±59.8 ms, times to first chunk to within ±310 µs" in text


def test_failures_are_given_with_the_commonest_reason_of_all_names_first():
    streams = [{"reasons": {"a: 1": 3, "b: 2": 2, "c: 3": 1}}, {"reasons": {"d: 4": 9, "b: 2": 6}}]
    assert commonest(streams) == "9 × d: 4; 8 × b: 2; 3 × a: 1"
