"""What holds for every shape; ``test_shape.py`` runs this in a process of its own, which ``import locust`` patches."""

import itertools
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.load.shapes.shape import Ramp, Soak, Spike, Step, Wave
from streamgauge.load.shapes.shape_options import ShapePlan
from streamgauge.load.shapes.shape_record import ShapeRecord
from streamgauge.load.shapes.shape_text import SHAPES, read_shape

LEVELS = st.floats(0, 1000).map(lambda value: round(value, 3))
TIMES = st.floats(0.1, 500).map(lambda value: round(value, 3))
STEPS = st.builds(Step, start=LEVELS, by=st.floats(5, 400).map(round), every_s=TIMES, to=LEVELS)
ALL = st.one_of(
    st.builds(Ramp, start=LEVELS, to=LEVELS, time_s=TIMES),
    STEPS,
    st.builds(
        Spike, base=LEVELS, top=LEVELS, at_s=st.just(0.0) | TIMES, for_s=TIMES, time_s=TIMES.map((1000.0).__add__)
    ),
    st.builds(Soak, steady=LEVELS, rise_s=st.just(0.0) | TIMES, time_s=st.none() | TIMES.map((500.0).__add__)),
    st.builds(Wave, low=LEVELS, high=LEVELS.map((1000.0).__add__), period_s=TIMES, time_s=TIMES),
)
MOMENTS = st.floats(0, 3000)


def jumps(shape):
    """The moments at which the level may change its course."""
    if isinstance(shape, Step):
        return [n * shape.every_s for n in range(1, round(shape.length_s / shape.every_s) + 1)]
    if isinstance(shape, Spike):
        return [shape.at_s, shape.at_s + shape.for_s, shape.time_s]
    return [at for at in (getattr(shape, "rise_s", 0.0), getattr(shape, "time_s", 0.0)) if at]


def integral(shape, until_s):
    """Simpson's rule between the jumps: exact for straight lines, and near for a wave that is cut finely enough."""
    edges = sorted({0.0, until_s, *(at for at in jumps(shape) if at < until_s)})
    total = 0.0
    for begin, end in itertools.pairwise(edges):
        parts = max(1, math.ceil((end - begin) / shape.period_s * 50)) if isinstance(shape, Wave) else 1
        width = (end - begin) / parts
        inside = width * 1e-9  # the level at a jump is that after it
        for n in range(parts):
            at = begin + n * width
            ends = shape.level(at + inside) + shape.level(at + width - inside)
            total += (ends + 4 * shape.level(at + width / 2)) * width / 6
    return total


@given(ALL, MOMENTS)
def test_the_area_is_the_integral_of_the_level(shape, t_s):
    assert shape.area(t_s) == pytest.approx(integral(shape, t_s), rel=1e-5, abs=1e-6)


@given(ALL, MOMENTS, st.floats(0, 100))
def test_the_area_never_falls_and_no_level_is_above_the_peak(shape, t_s, more_s):
    assert shape.area(t_s + more_s) >= shape.area(t_s) * (1 - 1e-12)
    assert 0 <= shape.level(t_s) <= shape.peak * (1 + 1e-12)


@given(ALL, st.floats(0, 100))
def test_the_last_level_remains_after_the_end(shape, later_s):
    if shape.length_s is not None:
        assert shape.level(shape.length_s + later_s) == pytest.approx(shape.level(shape.length_s))


@given(ALL)
def test_nothing_is_before_the_start(shape):
    assert (shape.level(-0.1), shape.area(-0.1), shape.area(0)) == (0, 0, 0)


@given(ALL)
def test_a_shape_reads_its_own_text(shape):
    assert read_shape(shape.text) == shape


@given(st.sampled_from(sorted(SHAPES)), st.none() | st.floats(0.5, 1e4), st.none() | st.floats(1, 1e6))
def test_a_name_alone_takes_level_and_time_of_the_run(name, level, time_s):
    shape = read_shape(name, level=level, time_s=time_s)
    assert shape.peak == pytest.approx(level or 10)
    if time_s is not None:
        assert shape.length_s == pytest.approx(time_s)


@pytest.mark.parametrize(
    ("text", "levels", "length_s"),
    [
        ("ramp:to=100,time=60s", {0: 0, 30: 50, 60: 100, 90: 100}, 60),
        ("ramp:from=80,to=20,time=1m", {0: 80, 30: 50, 60: 20}, 60),
        ("step:from=10,by=10,every=30s,to=100", {0: 10, 29.9: 10, 30: 20, 269: 90, 270: 100, 400: 100}, 300),
        ("step:from=10,by=4,every=1s,to=0", {0: 10, 1: 6, 2: 2, 3: 0}, 4),
        ("step:from=1,by=1,to=4,time=8s", {0: 1, 2: 2, 7.9: 4}, 8),
        ("spike:base=10,peak=200,at=30s,for=10s", {0: 10, 29.9: 10, 30: 200, 39.9: 200, 40: 10}, 70),
        ("spike:peak=5,base=1,at=0s,for=2s", {0: 5, 1.9: 5, 2: 1}, 4),
        ("soak:level=50,rise=1m,time=2h", {0: 0, 30: 25, 60: 50, 7200: 50}, 7200),
        ("soak:level=50,rise=0s", {0: 50, 1e6: 50}, None),
        ("wave:low=10,high=50,period=1m,time=10m", {0: 10, 15: 30, 30: 50, 60: 10, 570: 50}, 600),
        (" ramp: to = 7 , time = 2 ", {1: 3.5}, 2),
    ],
)
def test_levels_of_the_shapes_in_the_documentation(text, levels, length_s):
    shape = read_shape(text)
    assert {t_s: shape.level(t_s) for t_s in levels} == pytest.approx(levels)
    assert shape.length_s == length_s


_PARAMETER = "ramp: expected PARAMETER=VALUE with from, to or time, got "
_KINDS = "expected ramp, step, spike, soak or wave, or one with parameters such as ramp:to=100,time=60s, got "
_NUMBER = "expected a number such as 100, from 0 to 1,000,000, got "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rmap", f"{_KINDS}'rmap'"),
        ("rmap:to=1", f"{_KINDS}'rmap:to=1'"),
        ("ramp:", f"{_PARAMETER}''"),
        ("ramp:100", f"{_PARAMETER}'100'"),
        ("ramp:to=1,", f"{_PARAMETER}''"),
        ("ramp:top=1", "ramp: expected the parameter from, to or time, got 'top'"),
        ("ramp:to=many", f"ramp: to: {_NUMBER}'many'"),
        ("ramp:to=-1", f"ramp: to: {_NUMBER}'-1'"),
        ("ramp:to=1000001", f"ramp: to: {_NUMBER}'1000001'"),
        ("ramp:to=nan", f"ramp: to: {_NUMBER}'nan'"),
        ("ramp:to=1,to=2", "ramp: to is given twice; leave one out"),
        ("ramp:time=soon", "ramp: time: expected a duration such as 30s or 1m30s, got 'soon'"),
        ("ramp:time=2e9", "ramp: time: expected at most 1e+09 s, got '2e9'"),
        ("ramp:time=0s", "ramp: time: expected more than 0 s, got 0 s"),
        ("step:by=0", "step: by: expected more than 0, got 0"),
        ("step:every=1s,time=1m", "step: time and every are both given; leave one out"),
        ("step:time=0s", "step: time: expected more than 0 s, got 0 s"),
        ("step:by=0.001,to=1000", "step: by: expected at most 100,000 steps, got 999,999 of 0.001; raise it"),
        ("spike:for=0s", "spike: for: expected more than 0 s, got 0 s"),
        (
            "spike:at=20s,for=50s,time=1m",
            "spike: at=20s and for=50s end after the time of 60 s; raise time or --run-time",
        ),
        ("soak:rise=2h,time=1h", "soak: rise=7200s ends after the time of 3600 s; raise time or --run-time"),
        ("wave:low=60,high=50", "wave: low: expected at most the high of 50, got 60"),
        ("wave:period=0s", "wave: period: expected more than 0 s, got 0 s"),
    ],
)
def test_the_part_that_is_wrong_is_named(text, problem):
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        read_shape(text)


def test_a_record_has_what_was_wanted_and_what_there_was():
    record = ShapeRecord(ShapePlan(read_shape("ramp:to=8,time=3s"), "users", 3.0))
    record.note(1, 1)
    record.note(3, 5)  # the second between was missed
    seconds = [(each["t_s"], each["wanted"], each["users"]) for each in record.result(9)["seconds"]]
    assert seconds == [(0, 1, 1), (1, 4, 5), (2, 7, 5)]
    assert record.curve(1) == {"t_s": [0, 1, 2], "wanted": [1, 4, 7]}
    assert record.words(2.0, 5) == "ramp, 5 of 8 users"
    assert (record.most_users(0, 2), record.most_users(3, 2)) == (5, None)


def test_a_curve_has_few_points_and_a_spike_is_on_it():
    record = ShapeRecord(ShapePlan(read_shape("spike:base=1,peak=9,at=1h,for=2s,time=2h"), "users", 7200.0))
    curve = record.curve(0)
    assert len(curve["t_s"]) == 240
    assert max(curve["wanted"]) == 9


def test_a_record_of_rates_counts_streams_and_one_without_an_end_goes_on():
    record = ShapeRecord(ShapePlan(read_shape("soak:level=50,rise=10s"), "streams/s", None))
    assert record.words(5.0, 3) == "soak, 25 of 50 streams/s"
    assert record.result(1)["seconds"][1] == {"t_s": 1, "wanted": 7.5, "users": None}
    assert record.curve(100)["t_s"][-1] == 149


@pytest.mark.parametrize(
    ("text", "end_s", "computed"), [("ramp:to=8,time=1h", 3600.0, 1), ("soak:level=8,rise=10s", None, 3)]
)
def test_a_curve_is_computed_once_and_without_an_end_again_before_the_run_reaches_it(
    monkeypatch, text, end_s, computed
):
    record, ends, until = ShapeRecord(ShapePlan(read_shape(text), "users", end_s)), [], ShapeRecord._curve_until
    monkeypatch.setattr(ShapeRecord, "_curve_until", lambda each, end: ends.append(end) or until(each, end))
    for now_s in range(100):
        assert record.curve(now_s)["t_s"][-1] >= now_s
    assert len(ends) == computed


def test_what_is_wanted_now_is_what_the_result_says_of_the_second():
    users = ShapeRecord(ShapePlan(read_shape("ramp:to=8,time=3s"), "users", 3.0))
    assert users.wanted_now(9.0) == 1
    users.note(2, 4)
    assert users.wanted_now(9.0) == 7
    users.note(3, 7)
    assert users.wanted_now(9.0) is None
    rates = ShapeRecord(ShapePlan(read_shape("ramp:to=8,time=4s"), "streams/s", 4.0))
    assert [rates.wanted_now(t_s) for t_s in (0.0, 0.9, 3.2, 4.0)] == [1, 1, 7, None]
