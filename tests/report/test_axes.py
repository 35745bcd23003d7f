"""Axes: every tick has its unit, and counts have whole ticks."""

import pytest

from streamgauge.report.axes import byte_rate_axis, count_axis, duration_axis


@pytest.mark.parametrize(
    ("values_s", "kind"),
    [([], "linear"), ([None, 0.05], "linear"), ([0.01, 0.15], "linear"), ([0.001, 0.5], "log"), ([0, 0.02], "linear")],
)
def test_durations_far_apart_get_a_log_axis(values_s: list[float | None], kind: str) -> None:
    assert duration_axis(values_s).get("type", "linear") == kind


def test_a_log_axis_names_the_unit_at_every_tick() -> None:
    assert {"200µs", "5ms", "500ms", "1s"} <= set(
        duration_axis([0.0002, 0.03])["ticktext"] + duration_axis([0.03, 1.2])["ticktext"]
    )


def test_a_duration_of_many_seconds_is_no_kilosecond() -> None:
    assert "s" not in duration_axis([600.0, 2000.0])["tickformat"]
    assert duration_axis([0.02, 0.03])["tickformat"] == "~s"


@pytest.mark.parametrize(("values", "step"), [([], 1), ([0, 0], 1), ([3, None, 6], 1), ([7], None), ([0.2, 0.4], None)])
def test_a_small_count_has_a_tick_for_each_whole_number(values: list[float | None], step: int | None) -> None:
    axis = count_axis(values, "/s")
    assert axis.get("dtick") == step
    assert axis["ticksuffix"] == "/s"
    assert "s" not in axis["tickformat"], "a prefix such as m for a thousandth"


def test_few_bytes_have_no_prefix() -> None:
    assert byte_rate_axis([0, 3])["ticksuffix"] == " B/s"
    assert byte_rate_axis([0, 3])["tickformat"] == ",~f"
    assert byte_rate_axis([0, 300_000])["tickformat"] == "~s"
