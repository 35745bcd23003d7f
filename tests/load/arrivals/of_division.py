"""The schedule of a run and its division among workers; ``test_arrivals.py`` runs this in a process of its own."""

import json
import re
from types import SimpleNamespace

import pytest
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

from streamgauge.load import StreamUser
from streamgauge.load.arrivals import arrival_options
from streamgauge.load.arrivals.hand_over import End
from streamgauge.load.arrivals.schedule import Schedule, Share
from streamgauge.load.run import open_model
from streamgauge.load.run.master import MasterRun
from streamgauge.load.run.open_model import OpenModel, limit_streams, start_of
from streamgauge.stats.run_part import RunPart


class Listener(StreamUser):
    """A user class."""


class Clock:
    now_s = 100.0


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(open_model.time, "monotonic", lambda: found.now_s)
    return found


def environment(arrivals="100/s", **options):
    parsed = SimpleNamespace(stream_arrivals=arrivals, stream_seed="5", **options)
    return SimpleNamespace(parsed_options=parsed, user_classes=[Listener], shape_class=None, runner=None)


@pytest.fixture
def model(clock):
    found = OpenModel(environment(), users=1000, distributed=True)
    clock.now_s = found.start_s
    return found


def _until(arrivals, until_s):
    for each in arrivals:
        if each.at_s >= until_s:
            return
        yield each


def test_the_schedule_begins_later_the_more_users_there_are(clock):
    few, many = (
        OpenModel(environment(), users=users, distributed=True).start_s - clock.now_s for users in (100, 10_000)
    )
    assert 0.5 <= few < 0.6 < many < 2
    assert OpenModel(environment(), users=100, distributed=False).start_s - clock.now_s < few


def test_workers_that_come_and_go_share_every_arrival(clock, model):
    assert {name: new for name, (_, new) in model.divide(["a", "b"]).items()} == {"a": True, "b": True}
    assert model.divide(["a", "b"]) == {}
    clock.now_s += 10
    assert {name: new for name, (_, new) in model.divide(["a", "b", "c"]).items()} == {
        "a": False,
        "b": False,
        "c": True,
    }
    clock.now_s += 10
    division = model.divide(["b", "c"])
    assert {name: new for name, (_, new) in division.items()} == {"a": False, "b": False, "c": False}
    assert list(division["a"][0]) == model.message("a")["parts"][-1] == [pytest.approx(21.5), 0, 0]
    shares = {name: [open_model.Part(*part) for part in model.message(name)["parts"]] for name in "abc"}
    assert [part.from_s for part in shares["a"]] == pytest.approx([0, 11.5, 21.5])
    numbers = sorted(
        each.number
        for share in map(Share, shares.values())
        for each in _until(model.schedule.arrivals(), 60.0)
        if share.has(each)
    )
    assert numbers == list(range(6000))


def test_a_worker_that_was_left_out_while_it_lives_starts_nothing_until_it_returns(clock, model):
    """Each worker knows only what it was told."""
    told = {"a": Share(), "b": Share()}
    for present in (["a", "b"], ["a"], ["a", "b"]):
        for worker, (part, new) in model.divide(present).items():
            if new:
                told[worker] = Share([open_model.Part(*each) for each in model.message(worker)["parts"]])
            else:
                told[worker].add(part)
        clock.now_s += 10
    arrivals = list(_until(model.schedule.arrivals(), 30.0))
    assert [sum(share.has(each) for share in told.values()) for each in arrivals] == [1] * 3000


def test_the_arrivals_of_a_worker_that_left_or_died_are_lost_until_the_next_division(clock, model):
    model.divide(["a", "b", "c"])
    clock.now_s += 9
    for worker in "abc":  # a third of 100/s each
        model.count(worker, 300)
    model.divide(["b", "c"])  # from 10.5 s on
    clock.now_s += 11
    model.count("b", 625)
    model.count("c", 450)
    model.stop()
    clock.now_s += 5
    lost = model.lost({"c"})
    assert lost == {"a": 50, "c": 25}  # without those of the last second, which might still have been started


def test_a_worker_that_never_learnt_of_the_schedule_has_lost_its_share(clock, model):
    model.divide(["a", "b"])
    clock.now_s += 10
    model.count("a", 500)
    model.stop()
    assert model.lost(set()) == {"b": 450}


def ended(model, at_s, waiting=(), run=None):
    return End(model.start_s if run is None else run, at_s, list(waiting))


def test_a_worker_that_said_its_end_has_lost_what_waited_then_and_its_share_from_then_on(clock, model):
    model.divide(["a", "b"])
    clock.now_s += 8.0
    model.count("a", 398)
    model.note_end("a", ended(model, 7.995, [7.6, 7.98]))
    clock.now_s += 0.21
    model.divide(["b"])  # from 9.71 s on
    clock.now_s += 11.79
    model.note_end("b", ended(model, 20.001, [19.5]))
    model.count("b", 1000)
    model.stop()
    assert model.lost(set()) == {"a": 2 + 86}


@pytest.mark.parametrize(("length_s", "lost"), [(8.05, {}), (8.7, {"a": 1}), (8.99, {"a": 2}), (9.51, {"a": 2 + 26})])
def test_what_was_due_less_than_a_second_before_the_end_of_the_run_is_not_lost(clock, model, length_s, lost):
    """A worker that gets Ctrl-C a moment before the master has lost nothing."""
    model.divide(["a", "b"])
    clock.now_s += 8.0
    model.count("a", 398)
    model.note_end("a", ended(model, 7.995, [7.6, 7.98]))
    clock.now_s = model.start_s + length_s
    model.stop()
    model.count("b", 400)
    model.note_end("b", ended(model, length_s))
    assert model.lost(set()) == lost


def test_the_end_of_an_earlier_run_says_nothing_of_this_one(clock, model):
    model.divide(["a"])
    model.note_end("a", ended(model, 1.0, run=model.start_s - 60))
    clock.now_s += 5.0
    model.count("a", 500)
    model.stop()
    assert model.lost(set()) == {}


def test_the_arrivals_of_all_lost_workers_are_counted_in_one_pass(clock, model, monkeypatch):
    passes, arrivals = [], Schedule.arrivals
    monkeypatch.setattr(Schedule, "arrivals", lambda each: passes.append(each) or arrivals(each))
    model.divide(["a", "b", "c"])
    clock.now_s += 9
    for worker in "abc":
        model.count(worker, 300)
    model.stop()
    assert (model.lost(set()), len(passes)) == ({}, 0)
    clock.now_s, model._end_s = clock.now_s + 2, None
    assert (model.lost({"a", "b"}), len(passes)) == ({"a": 34, "b": 33}, 1)


@pytest.mark.parametrize("users", [1, 2, 3, 7])
def test_at_the_start_the_workers_that_will_get_users_share_the_schedule(users):
    nodes = [WorkerNode(name) for name in ("one_c", "one_a", "two_b")]
    master, dispatcher = MasterRun.__new__(MasterRun), UsersDispatcher(nodes, [Listener])
    master._runner = SimpleNamespace(
        state="ready",
        target_user_count=users,
        clients=SimpleNamespace(all=nodes),
        get_worker_index=[each.id for each in nodes].index,
        _users_dispatcher=dispatcher,
    )
    sharing = master._sharing()
    dispatcher.new_dispatch(users, float(users))
    assert set(sharing) == {name for name, started in next(dispatcher).items() if sum(started.values())}


def test_after_a_reset_only_what_came_since_counts(clock, model):
    model.divide(["a"])
    clock.now_s += 10
    model.count("a", 1000)
    model.reset()
    reset_s = clock.now_s
    clock.now_s += 5
    model.count("a", 300)
    model.stop()
    assert model.lost({"a"}) == {"a": 100}
    found = model.summary(RunPart(), reset_s, 0)
    assert (found["duration_s"], found["wanted_per_s"]) == (pytest.approx(5), pytest.approx(100))


def test_the_rate_that_was_got_leaves_dropped_arrivals_out(clock, model):
    clock.now_s += 10
    model.stop()
    part = RunPart()
    part.scheduled_arrivals, part.dropped_arrivals = 1000, 250
    found = model.summary(part, 0.0, 0)
    assert (found["scheduled_per_s"], found["got_per_s"]) == (pytest.approx(100), pytest.approx(75))


def test_workers_of_one_machine_share_the_clock_and_others_count_from_the_message(model):
    here = model.message("a") if model.divide(["a"]) else None
    assert here["clock"]["name"]
    assert start_of(here["clock"], received_s=1e6) == model.start_s
    elsewhere = {**here["clock"], "name": "another", "now_s": -1.2}
    assert start_of(elsewhere, received_s=50.0) == pytest.approx(51.2)


@pytest.mark.parametrize(
    ("given", "asked", "state", "started"),
    [
        (None, 1, "ready", 1000),  # of Locust's default
        (1, 1, "ready", 1),
        (None, 7, "ready", 7),
        (None, 1, "running", 1),  # edited down during a run
    ],
)
def test_a_limit_of_streams_that_nobody_gave_follows_the_rate(given, asked, state, started):
    calls = []
    env = environment(num_users=given)
    env.runner = SimpleNamespace(state=state, start=lambda *load: calls.append(load))
    limit_streams(env)
    env.runner.start(asked, 2.0)
    assert calls == [(started, 2.0)]


def test_a_closed_model_starts_the_users_that_it_was_asked_for():
    calls = []
    env = environment(arrivals="", num_users=None)
    env.runner = SimpleNamespace(state="ready", start=lambda *load: calls.append(load))
    limit_streams(env)
    env.runner.start(1, 1.0)
    assert calls == [(1, 1.0)]


def test_a_shape_gives_the_rate_and_its_end_that_of_the_arrivals(clock):
    model = OpenModel(environment("constant", stream_shape="ramp:from=0,to=100,time=20s"), users=100, distributed=True)
    sent = json.loads(json.dumps(model.schedule.to_dict()))
    assert Schedule.from_dict(sent) == model.schedule
    times = [each.at_s for each in model.schedule.arrivals()]
    assert len(times) == 1000
    assert sum(at_s < 10 for at_s in times) == 250
    assert model.schedule.length_s == 20
    clock.now_s = model.start_s + 10
    model.stop()
    assert model.summary(RunPart(), 0.0, 0)["wanted_per_s"] == pytest.approx(25)
    after_warm_up = model.summary(RunPart(), model.start_s + 6, 0)
    assert (after_warm_up["duration_s"], after_warm_up["wanted_per_s"]) == (pytest.approx(4), pytest.approx(40))


def test_the_rate_is_the_whole_level_of_a_shape_that_names_none():
    model = OpenModel(
        environment("poisson:200/s", stream_shape="ramp:time=20s", run_time=30), users=100, distributed=True
    )
    assert model.schedule.shape.peak == 200
    assert model.schedule.length_s == 30
    assert model.record.plan.unit == "streams/s"


@pytest.mark.parametrize(
    ("arrivals", "shape", "says"),
    [
        ("poisson", "", "expected a rate, as in poisson:200/s, or a --stream-shape, got 'poisson'"),
        ("trace:TRACE", "wave", "--stream-arrivals, --stream-shape: a trace has its own rate; leave one out"),
        ("5/s", "wavy", "--stream-shape: "),
    ],
)
def test_arrivals_and_a_shape_that_do_not_go_together_are_refused(tmp_path, arrivals, shape, says):
    (tmp_path / "trace").write_text("1\n")
    text = arrivals.replace("TRACE", str(tmp_path / "trace"))
    with pytest.raises(ValueError, match=re.escape(says)):
        arrival_options.open_model(environment(text, stream_shape=shape).parsed_options)
