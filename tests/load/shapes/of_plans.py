"""What a shape means for a run and for Locust's users; ``test_shape.py`` runs this in a process of its own."""

import logging
import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from locust import LoadTestShape
from locust.env import Environment

from streamgauge.load.shapes import user_shape
from streamgauge.load.shapes.shape_options import ShapePlan, plan_of_users, shape_plan, shapes_users
from streamgauge.load.shapes.shape_record import ShapeRecord
from streamgauge.load.shapes.shape_text import parameters, read_shape
from streamgauge.load.shapes.user_shape import UserShape, follow_shape, forget_run_time, shape_of


def options(shape="", **more):
    return SimpleNamespace(
        **{"stream_shape": shape, "stream_arrivals": "", "num_users": None, "run_time": None, **more}
    )


@pytest.mark.parametrize(
    ("given", "text", "end_s"),
    [
        ({}, "ramp:from=0,to=10,time=60s", 60),
        ({"num_users": 40, "run_time": 90}, "ramp:from=0,to=40,time=90s", 90),
        ({"num_users": 1}, "ramp:from=0,to=1,time=60s", 60),
        ({"num_users": 0, "run_time": 0}, "ramp:from=0,to=10,time=60s", 60),
    ],
)
def test_users_and_run_time_are_the_defaults_of_a_shape(given, text, end_s):
    plan = plan_of_users(options("ramp", **given))
    assert (plan.shape.text, plan.unit, plan.end_s) == (text, "users", end_s)


def test_a_run_ends_at_its_run_time_else_with_its_shape_else_never():
    assert plan_of_users(options("ramp:time=20s", run_time=90)).end_s == 90
    assert plan_of_users(options("ramp:time=20s")).end_s == 20
    assert plan_of_users(options("soak:rise=5s")).end_s is None


def test_a_shape_is_of_users_unless_streams_arrive():
    arriving = options("ramp", stream_arrivals="poisson")
    assert [shapes_users(each) for each in (options("ramp"), arriving, options(), SimpleNamespace())] == [
        True, False, False, False
    ]  # fmt: skip
    assert plan_of_users(arriving) is plan_of_users(options()) is None
    assert shape_plan(SimpleNamespace(), unit="users", level=1.0) is None


def test_a_wrong_shape_names_its_option():
    with pytest.raises(ValueError, match=r"^--stream-shape: ramp: expected PARAMETER=VALUE"):
        plan_of_users(options("ramp:5"))


@pytest.mark.parametrize(
    ("shape", "unit", "refused"),
    [
        ("ramp:to=0", "users", True),
        ("ramp:to=0.4", "users", True),
        ("ramp:to=0.5", "users", False),
        ("ramp:from=1,to=0", "users", False),
        ("soak:level=0", "streams/s", True),
        ("soak:level=0.1", "streams/s", False),
    ],
)
def test_a_shape_that_loads_nothing_is_refused(shape, unit, refused):
    said = f"--stream-shape: expected a level of {unit} above 0, got {shape!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$") if refused else nullcontext():
        shape_plan(options(shape), unit=unit, level=10)


def test_a_second_wants_its_middle_and_whole_users():
    users, rates = (ShapePlan(read_shape("ramp:to=4,time=4s"), unit, 4.0) for unit in ("users", "streams/s"))
    assert [users.wanted(t_s) for t_s in range(5)] == [1, 2, 3, 4, 4]
    assert [rates.wanted(t_s) for t_s in range(5)] == [0.5, 1.5, 2.5, 3.5, 4.0]


def record(text, unit="users", end_s=None):
    return ShapeRecord(ShapePlan(read_shape(text), unit, end_s))


def test_a_record_that_stops_early_is_cut_short():
    found = record("ramp:to=8,time=8s", end_s=8.0)
    found.note(2, 5)
    assert found.cut_short
    stopped = found.result(9)
    assert ([each["t_s"] for each in stopped["seconds"]], stopped["end_s"]) == ([0, 1, 2], 8)
    assert found.words(7.5, 5) == "ramp, 5 of 8 users"
    found.note(8, 8)
    assert not found.cut_short
    assert record("soak:level=5,rise=0s").cut_short is record("ramp", "streams/s", 60.0).cut_short is False


def test_a_result_has_the_shape_whole():
    found = record("soak:level=2,rise=0s", end_s=None)
    found.note(2, 2)
    assert found.result(1) == {
        "text": "soak:level=2,rise=0s", "unit": "users", "end_s": None,
        "seconds": [{"t_s": 0, "wanted": 2, "users": 2}, {"t_s": 1, "wanted": 2, "users": 2}],
    }  # fmt: skip
    assert len(record("soak:level=2,rise=0s", "streams/s").result(99)["seconds"]) == 100


@pytest.mark.parametrize(
    ("end_s", "now_s", "points", "last_s"),
    [(240.0, 0, 240, 239), (241.0, 0, 121, 240), (2.5, 0, 3, 2), (None, 10, 60, 59), (None, 40, 60, 59),
     (None, 100, 150, 149), (None, 200, 150, 298)],
)  # fmt: skip
def test_a_curve_reaches_the_end_or_a_little_beyond_now(end_s, now_s, points, last_s):
    curve = record("soak:level=2,rise=0s", end_s=end_s).curve(now_s)
    assert (len(curve["t_s"]), curve["t_s"][0], curve["t_s"][-1]) == (points, 0, last_s)
    assert curve["wanted"] == [2] * points


def test_the_most_users_of_some_seconds():
    found = record("ramp:to=8,time=3s", end_s=3.0)
    for before_s, users in ((1, 3), (2, 7), (3, 5)):
        found.note(before_s, users)
    assert [found.most_users(t_s, step_s) for t_s, step_s in ((0, 1), (0, 3), (2, 1), (2, 9), (3, 1))] == [
        3, 7, 5, 5, None
    ]  # fmt: skip


def test_words_round_and_separate_thousands():
    assert record("ramp:to=2000,time=2s", "streams/s", 2.0).words(1.5, 3) == "ramp, 1,500 of 2,000 streams/s"


def test_every_kind_has_a_time_and_names_its_durations():
    assert parameters(type(read_shape("step"))) == {
        "from": False, "by": False, "every": True, "to": False, "time": True
    }  # fmt: skip


class Followed:
    """A shape of users, whose clock stands still."""

    def __init__(self, monkeypatch, **given):
        self.runner = SimpleNamespace(state="ready", user_count=0, shape_last_tick=(1, 1.0), spawning_greenlet=None)
        self.environment = SimpleNamespace(runner=self.runner, parsed_options=options(**given), shape_class=None)
        follow_shape(self.environment, self.environment.parsed_options)
        self.shape, self.t_s = shape_of(self.environment), 0.0
        if self.shape:
            monkeypatch.setattr(self.shape, "get_run_time", lambda: self.t_s)

    def tick(self, t_s, users=0):
        self.t_s, self.runner.user_count = t_s, users
        found = self.shape.tick()
        self.runner.state = "running"
        return found


def test_locust_gets_the_users_of_the_next_second_and_a_rate_that_takes_a_second(monkeypatch):
    followed = Followed(monkeypatch, shape="spike:base=2,peak=9,at=2s,for=1s,time=5s")
    ticks = [followed.tick(t_s + 0.02, users) for t_s, users in enumerate((0, 2, 2, 9, 4))]
    assert ticks == [(2, 2.0), (2, 2.0), (9, 7.0), (2, 7.0), (2, 7.0)]
    assert followed.tick(4.97, 2) == (2, 7.0)
    assert followed.tick(5.0, 2) is None
    assert followed.shape.record.users == {0: 2, 1: 2, 2: 9, 3: 4, 4: 2}


def test_each_run_begins_its_shape_at_its_start(monkeypatch):
    followed = Followed(monkeypatch, shape="ramp:to=8,time=4s")
    assert (followed.tick(0.0), followed.runner.shape_last_tick) == ((1, 1.0), None)
    assert followed.tick(3.0, 5) == (7, 6.0)
    first = followed.shape.record
    followed.runner.state = "stopped"
    followed.environment.parsed_options.stream_shape = "ramp:to=80,time=4s"
    assert followed.tick(0.0, 0) == (10, 10.0)
    assert (first.users, followed.shape.record.users) == ({0: 5, 1: 5, 2: 5}, {})
    followed.runner.state = "stopped"
    followed.environment.parsed_options.stream_shape = "step:from=0,by=5,every=9s,to=5"
    assert followed.tick(0.0, 0) == (0, 1.0)
    followed.runner.state = "stopped"
    followed.environment.parsed_options.stream_shape = ""
    assert followed.tick(0.0, 0) is None
    followed.shape.runner = None
    assert followed.shape.tick() is None


def test_a_run_that_is_about_to_begin_begins_once_and_its_shape_when_it_has(monkeypatch):
    followed = Followed(monkeypatch, shape="ramp:to=8,time=4s")
    begun_s = []
    monkeypatch.setattr(followed.shape, "reset_time", lambda: begun_s.append(followed.t_s))
    first = followed.tick(0.0)
    followed.runner.state, followed.runner.spawning_greenlet = "ready", SimpleNamespace(dead=False)
    followed.runner.shape_last_tick = first
    assert followed.shape.tick() == followed.shape.tick() == followed.runner.shape_last_tick == first
    assert len(begun_s) == 3
    followed.runner.state, followed.runner.spawning_greenlet = "stopped", SimpleNamespace(dead=True)
    assert followed.tick(0.0) == first
    assert followed.runner.shape_last_tick is None


def test_a_shape_comes_and_goes_with_its_option_and_one_of_the_locustfile_stays(monkeypatch):
    followed = Followed(monkeypatch, shape="ramp")
    follow_shape(followed.environment, options("wave"))
    assert shape_of(followed.environment) is followed.shape
    follow_shape(followed.environment, options())
    assert followed.environment.shape_class is None

    class Stairs(LoadTestShape):
        """A shape of a locustfile."""

        def tick(self):
            return None

    own = followed.environment.shape_class = Stairs()
    follow_shape(followed.environment, options())
    assert (followed.environment.shape_class, shape_of(followed.environment)) == (own, None)
    said = "--stream-shape: the locustfile has a shape of its own, Stairs; remove one of the two"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        follow_shape(followed.environment, options("ramp"))


def test_locust_does_not_log_each_change_of_the_users(monkeypatch, caplog):
    Followed(monkeypatch, shape="ramp")
    logger = logging.getLogger("locust.runners")
    with caplog.at_level(logging.INFO, "locust.runners"):
        logger.info("Ramping to %d users at a rate of %.2f per second", 5, 1.0)
        logger.info("Shape test updating to %d users", 5)
        logger.info("Shape test stopping")
    assert caplog.messages == ["Shape test stopping"]


@pytest.mark.parametrize(
    ("headless", "autostart", "shaped", "forgotten"),
    [(False, True, True, True), (True, True, True, False), (False, False, True, False), (False, True, False, False)],
)
def test_the_run_time_of_an_autostarted_run_stops_no_later_one(monkeypatch, headless, autostart, shaped, forgotten):
    later = []
    monkeypatch.setattr(user_shape.gevent, "spawn_later", lambda *call: later.append(call))
    parsed = options(headless=headless, autostart=autostart, run_time=9)
    environment = Environment(parsed_options=parsed)
    environment.shape_class = UserShape(environment) if shaped else None
    forget_run_time(environment)
    environment.events.test_stop.fire(environment=environment)
    assert parsed.run_time == (None if forgotten else 9)
    for seconds, restore, *given in later:
        assert seconds == 1.0
        restore(*given)
    assert (parsed.run_time, len(later)) == (9, forgotten)
    environment.events.test_stop.fire(environment=environment)  # of a later run
    assert parsed.run_time == 9


def test_a_run_time_that_was_set_meanwhile_stays(monkeypatch):
    later = []
    monkeypatch.setattr(user_shape.gevent, "spawn_later", lambda _, *call: later.append(call))
    parsed = options(headless=False, autostart=True, run_time=9)
    environment = Environment(parsed_options=parsed)
    environment.shape_class = UserShape(environment)
    forget_run_time(environment)
    environment.events.test_stop.fire(environment=environment)
    parsed.run_time = 30
    ((restore, *given),) = later
    restore(*given)
    assert parsed.run_time == 30


def test_without_options_there_is_no_run_time_to_forget():
    environment = Environment()
    forget_run_time(environment)
    environment.events.test_stop.fire(environment=environment)
