"""Axes: every tick has its unit, and counts have whole ticks."""

import pytest

from streamgauge.report.axes import byte_rate_axis, count_axis, duration_axis, percentile_axis, time_axis


@pytest.mark.parametrize(
    ("values_s", "kind"),
    [
        ([], "linear"),
        ([None, 0.05], "linear"),
        ([0.01, 0.15], "linear"),
        ([1, 20], "linear"),
        ([1, 20.1], "log"),
        ([0.001, 0.5], "log"),
        ([0, 0.02], "linear"),
    ],
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


def test_a_linear_axis_of_durations_starts_at_nothing() -> None:
    for values_s in ([], [0.01, 0.02]):
        axis = duration_axis(values_s)
        assert (axis["rangemode"], axis["ticksuffix"]) == ("tozero", "s")


@pytest.mark.parametrize(("most_s", "tickformat"), [(999.0, "~s"), (1000.0, ",~f")])
def test_durations_have_prefixes_below_a_thousand_seconds(most_s: float, tickformat: str) -> None:
    axis = duration_axis([most_s])
    assert (axis["tickformat"], axis["ticksuffix"]) == (tickformat, "s")
    assert axis["hoverformat"] == (",.4~g" if most_s >= 1000 else ".3~s"), "as many digits as the histogram has"


@pytest.mark.parametrize(
    ("values_s", "ticks"),
    [
        ([0.01, 0.9], "10ms 20ms 50ms 100ms 200ms 500ms 1s 2s 5s"),
        ([0.0009, 0.2], "100µs 200µs 500µs 1ms 2ms 5ms 10ms 20ms 50ms 100ms 200ms 500ms 1s 2s 5s"),
        ([0.000001, 0.01], "1µs 10µs 100µs 1ms 10ms"),
        ([0.001, 10**-0.49], "1ms 10ms 100ms 1s"),
    ],
)
def test_a_log_axis_has_ticks_from_its_least_value_to_its_largest(values_s: list[float], ticks: str) -> None:
    axis = duration_axis(values_s)
    assert axis["ticktext"] == ticks.split()
    assert axis["tickvals"] == pytest.approx([in_seconds(tick) for tick in axis["ticktext"]])
    low, high = (10**end for end in axis["range"])
    assert low < min(values_s) < max(values_s) < high
    assert high / low == pytest.approx(max(values_s) / min(values_s) * 10**0.2)


def in_seconds(tick: str) -> float:
    for unit, unit_s in (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)):
        if tick.endswith(unit):
            return float(tick.removesuffix(unit)) * unit_s
    raise ValueError(tick)


@pytest.mark.parametrize(
    ("most", "suffix", "hover"),
    [(None, " B/s", ",~f"), (0, " B/s", ",~f"), (999, " B/s", ",~f"), (1000, "B/s", ".3~s")],
)
def test_bytes_have_prefixes_from_a_thousand(most: float | None, suffix: str, hover: str) -> None:
    axis = byte_rate_axis([None, 0, most])
    assert (axis["ticksuffix"], axis["rangemode"], axis["hoverformat"]) == (suffix, "tozero", hover)


def test_the_time_is_called_by_its_name_and_unit() -> None:
    axis = time_axis("min")
    assert (axis["title"]["text"], axis["ticksuffix"]) == ("time into the run", " min")


@pytest.mark.parametrize(
    ("count", "ticks"),
    [
        (1, {1: "0 %", 2: "50 %", 10: "90 %"}),
        (10, {1: "0 %", 2: "50 %", 10: "90 %"}),
        (11, {1: "0 %", 2: "50 %", 10: "90 %", 100: "99 %"}),
        (100, {1: "0 %", 2: "50 %", 10: "90 %", 100: "99 %"}),
        (5000, {1: "0 %", 2: "50 %", 10: "90 %", 100: "99 %", 1000: "99.9 %", 10_000: "99.99 %"}),
    ],
)
def test_percentiles_reach_as_far_as_there_are_values(count: int, ticks: dict[int, str]) -> None:
    axis = percentile_axis(count)
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True)) == ticks
    least, most = axis["range"]
    assert least == 0
    assert max(count, 10) < 10**most < 2 * max(count, 10)
    assert (axis["type"], axis["title"]["text"]) == ("log", "percentile")
