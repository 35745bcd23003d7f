"""What the options of ``streamgauge calibrate`` make of it: the load that it drives, and of which source."""

from typing import Any

import pytest

from streamgauge.calibrate.calibration_run import Plan

DEFAULT = Plan(users=100, interval_ms=50.0, run_time_s=10, chunk_bytes=100)


@pytest.fixture
def planned(call: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan of a calibration with these options, and whether it is quiet."""
    plans: list[tuple[Plan, bool]] = []

    def run(plan: Plan, _interrupt: object, *, quiet: bool) -> int:
        plans.append((plan, quiet))
        return 130

    monkeypatch.setattr("streamgauge.calibrate.calibration_run.calibrate", run)

    def plan_of(*options: object) -> tuple[Plan, bool]:
        answer = call("calibrate", *options)
        assert answer.exit_code == 130, answer.output  # the calibration's own status
        return plans[-1]

    return plan_of


def test_without_options_a_hundred_streams_of_20_chunks_a_second_last_for_ten_seconds(planned: Any) -> None:
    assert planned() == (DEFAULT, False)


def test_each_option_has_its_effect(planned: Any) -> None:
    options = ("--users", 7, "--interval-ms", 12.5, "--run-time", "1m", "--chunk-bytes", 300, "--quiet")
    assert planned(*options) == (Plan(users=7, interval_ms=12.5, run_time_s=60, chunk_bytes=300), True)


@pytest.mark.parametrize(("interval_ms", "chunks"), [(50.0, 40), (12.5, 160), (0.1, 20_000), (5000.0, 2)])
def test_a_stream_lasts_for_about_two_seconds_and_has_two_chunks_at_least(interval_ms: float, chunks: int) -> None:
    plan = Plan(users=7, interval_ms=interval_ms, run_time_s=60, chunk_bytes=300)
    assert plan.path == f"/sse?chunks={chunks}&interval_ms={interval_ms:g}&bytes=300"
    assert plan.figures == {"users": 7, "interval_s": interval_ms / 1000, "chunk_bytes": 300, "run_time_s": 60}
