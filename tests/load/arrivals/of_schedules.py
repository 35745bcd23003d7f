"""What holds for arrivals; ``test_arrivals.py`` runs this in a process of its own, which ``import locust`` patches."""

import itertools
import json
import math
import re
from dataclasses import dataclass
from random import Random
from statistics import mean, pstdev

import pytest

from streamgauge.load.arrivals.arrival_times import ConstantRate, time_at, times_of
from streamgauge.load.arrivals.schedule import Part, Schedule, Share
from streamgauge.load.arrivals.spec import ArrivalSpec, read_arrivals

ONE = (("Listener", 1.0),)


@dataclass
class Ramp:
    """A rate that rises evenly from 0 to ``peak`` in ``rise_s``, and is 0 from ``end_s`` on."""

    peak: float
    rise_s: float
    end_s: float

    def level(self, t_s):
        return 0.0 if t_s >= self.end_s else self.peak * min(1.0, t_s / self.rise_s)

    def area(self, t_s):
        t_s = min(t_s, self.end_s)
        rising_s = min(t_s, self.rise_s)
        return self.peak * (rising_s**2 / 2 / self.rise_s + t_s - rising_s)


def times(text, seed=1, rate=None, until_s=math.inf, most=100_000):
    found = itertools.takewhile(lambda t_s: t_s < until_s, read_arrivals(text).times(seed, rate))
    return list(itertools.islice(found, most))


def gaps(found):
    return [after - before for before, after in itertools.pairwise(found)]


def test_a_constant_rate_begins_at_once_and_never_drifts():
    found = times("200/s", until_s=500)
    assert len(found) == 100_000
    assert found[0] == 0.0
    assert found[-1] == pytest.approx(99_999 / 200, abs=1e-9)


@pytest.mark.parametrize("text", ["30/min", "0.5/s", "constant:1800/h", " 3e1 / m "])
def test_a_rate_has_its_unit(text):
    assert times(text, most=3) == [0.0, 2.0, 4.0]


def kolmogorov_smirnov(values, distribution):
    """The largest distance between the empirical distribution of ``values`` and ``distribution``."""
    ordered, count = sorted(values), len(values)
    return max(
        max((number + 1) / count - distribution(value), distribution(value) - number / count)
        for number, value in enumerate(ordered)
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_gaps_of_poisson_arrivals_are_exponential(seed):
    found = gaps([0.0, *times("poisson:200/s", seed, most=5000)])
    # 1.63 / sqrt(n) is the critical value at 1 %; among these fixed seeds none comes near that of 0.1 %, 1.95.
    assert kolmogorov_smirnov(found, lambda gap_s: 1 - math.exp(-200 * gap_s)) < 1.95 / math.sqrt(len(found))


def test_the_same_test_refuses_even_arrivals_and_another_rate():
    def distance(text):
        found = gaps([0.0, *times(text, 1, most=5000)])
        return kolmogorov_smirnov(found, lambda gap_s: 1 - math.exp(-200 * gap_s)) * math.sqrt(len(found))

    assert distance("200/s") > 20
    assert distance("poisson:230/s") > 3
    assert distance("gamma:200/s,cv=1.2") > 3


def test_poisson_counts_of_a_second_vary_as_much_as_their_mean():
    found = times("poisson:50/s", 3, until_s=2000)
    counts = [sum(1 for _ in group) for _, group in itertools.groupby(found, key=int)]
    assert mean(counts) == pytest.approx(50, rel=0.02)
    assert pstdev(counts) ** 2 == pytest.approx(50, rel=0.1)


@pytest.mark.parametrize("cv", [0.1, 0.5, 1.0, 2.0, 4.0])
def test_the_gaps_of_gamma_arrivals_have_their_mean_and_their_variation(cv):
    found = gaps(times(f"gamma:200/s,cv={cv}", 5))
    assert mean(found) == pytest.approx(1 / 200, rel=0.05)
    assert pstdev(found) / mean(found) == pytest.approx(cv, rel=0.05)


@pytest.mark.parametrize("text", ["poisson:200/s", "gamma:200/s,cv=3"])
def test_a_seed_gives_the_same_arrivals_again_and_another_seed_others(text):
    assert times(text, 7, most=1000) == times(text, 7, most=1000)
    assert times(text, 7, most=1000) != times(text, 8, most=1000)


def test_a_changing_rate_has_as_many_arrivals_as_it_adds_up_to():
    ramp = Ramp(peak=100, rise_s=20, end_s=59.995)
    found = list(times_of(map(float, itertools.count()), ramp))
    assert len(found) == math.ceil(ramp.area(60)) == 5000
    assert all(ramp.area(t_s) == pytest.approx(number, abs=1e-4) for number, t_s in enumerate(found))
    assert sum(t_s < 10 for t_s in found) == 250


def test_poisson_arrivals_of_a_changing_rate_are_poisson_once_time_is_the_rates():
    ramp = Ramp(peak=100, rise_s=20, end_s=600)
    found = gaps([0.0, *map(ramp.area, times("poisson", 4, rate=ramp, most=5000))])
    assert kolmogorov_smirnov(found, lambda gap: 1 - math.exp(-gap)) < 1.63 / math.sqrt(len(found))


def test_a_rate_that_pauses_or_jumps_is_inverted_all_the_same():
    class Pauses:
        peak = 10.0

        def level(self, t_s):
            return 0.0 if 1 <= t_s < 100 else 10.0

        def area(self, t_s):
            return 10.0 * (min(t_s, 1.0) + max(0.0, t_s - 100))

    assert time_at(Pauses(), 10.0, 0.5) == pytest.approx(1.0, abs=1e-6)
    assert time_at(Pauses(), 11.0, 0.5) == pytest.approx(100.1, abs=1e-6)
    assert time_at(ConstantRate(4.0), 10.0, 0.0) == pytest.approx(2.5, abs=1e-6)
    assert time_at(Ramp(peak=1, rise_s=1, end_s=2), 100.0, 0.0) is None


def test_a_trace_counts_from_its_first_arrival_and_is_scaled(tmp_path):
    mooncake = tmp_path / "trace, of today.jsonl"
    mooncake.write_text('{"timestamp": 3000, "input_length": 5}\n\n{"timestamp": 1000}\n{"timestamp": 1500}\n')
    plain = tmp_path / "seconds.txt"
    plain.write_text("10\n10.5\n12e0\n")
    assert times(f"trace:{mooncake}") == times(f"trace:{plain}") == [0.0, 0.5, 2.0]
    assert times(f"trace:{plain},2") == times(f"trace:{mooncake}, 2") == [0.0, 0.25, 1.0]


@pytest.mark.parametrize(
    ("trace", "peak"),
    [
        ((0.0, 0.5, 2.0), 0.3),
        ((0.0, 10.0), 0.1),
        ((0.0, 10.5), 0.1),
        ((0.0, 9.9), 0.2),
        ((0.0, 5.0, 9.9, 10.0, 30.0, 31.0, 32.0, 33.0, 34.0, 45.0, 46.0), 0.5),
    ],
)
def test_the_peak_of_a_trace_is_that_of_its_busiest_ten_seconds(trace, peak):
    assert ArrivalSpec("trace", trace=trace).peak() == pytest.approx(peak)


def test_the_peak_of_a_process_is_its_rate_or_that_of_the_shape():
    assert read_arrivals("200/s").peak() == 200
    assert read_arrivals("poisson:200/s").peak(Ramp(peak=300, rise_s=1, end_s=2)) == 300
    assert read_arrivals("poisson").peak(ConstantRate(7.0)) == 7


def test_a_constant_rate_adds_up_from_its_start_on():
    assert [ConstantRate(4.0).area(t_s) for t_s in (-1.0, 0.0, 0.5, 10.0)] == [0, 0, 2, 40]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast", "expected a rate such as 200/s or 30/min"),
        ("200", "expected a rate such as 200/s"),
        ("0/s", "from 1e-05/s to 1,000,000/s, got '0/s'"),
        ("-5/s", "got '-5/s'"),
        ("nan/s", "got 'nan/s'"),
        ("2e6/s", "got '2e6/s'"),
        ("poisson:", "expected 200/s, poisson:200/s"),
        ("uniform:5/s", "got 'uniform:5/s'"),
        ("gamma:200/s", "expected a rate and the coefficient of variation"),
        ("gamma:200/s,cv=0", "expected cv=2, from 0.01 to 20, got 'gamma:200/s,cv=0'"),
        ("gamma:200/s,cv=x", "got 'gamma:200/s,cv=x'"),
        ("trace:/nowhere", "cannot read '/nowhere': No such file or directory"),
        ("trace:/nowhere,0", "expected a file and a scale above 0, as in trace:FILE,2 for twice as fast, got 'trace:/"),
        ("trace:,2", "expected a file and a scale above 0"),
        ("trace:a\0b", "cannot read 'a\\x00b': expected lines such as"),
    ],
)
def test_what_is_no_process_of_arrivals_is_refused(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        read_arrivals(text)


@pytest.mark.parametrize(
    "line", ["soon", '{"time": 5}', '{"timestamp": "5"}', "NaN", "[1]", "true", '{"timestamp": 1e999}']
)
def test_a_line_of_a_trace_that_has_no_time_is_named(tmp_path, line):
    trace = tmp_path / "trace"
    trace.write_text(f"1\n{line}\n")
    with pytest.raises(ValueError, match=rf"^cannot read '{trace}', line 2, .*: expected lines such as"):
        read_arrivals(f"trace:{trace}")


def test_an_empty_trace_is_refused(tmp_path):
    (tmp_path / "trace").write_text("\n")
    with pytest.raises(ValueError, match="it is empty"):
        read_arrivals(f"trace:{tmp_path / 'trace'}")


def schedule(text="poisson:100/s", classes=ONE, seed=9):
    return Schedule(read_arrivals(text), seed, classes)


def taken(share, until_s=50.0, **settings):
    found = itertools.takewhile(lambda each: each.at_s < until_s, schedule(**settings).arrivals())
    return [arrival for arrival in found if share.has(arrival)]


@pytest.mark.parametrize("workers", [1, 2, 4, 7])
def test_any_number_of_workers_share_the_same_arrivals(workers):
    shares = [Share([Part(0.0, place, workers)]) for place in range(workers)]
    found = sorted(arrival for share in shares for arrival in taken(share))
    assert found == taken(Share([Part(0.0, 0, 1)]))


def test_workers_that_join_and_leave_lose_and_double_no_arrival():
    two_then_three = [Share([Part(0.0, place, 2), Part(20.0, place, 3)]) for place in range(2)]
    joined = Share([Part(20.0, 2, 3)])
    for share in (two_then_three[1], joined):  # the first one leaves
        share.add(Part(35.0, (two_then_three[1], joined).index(share), 2))
    two_then_three[0].add(Part(35.0, 0, 0))
    found = sorted(arrival for share in (*two_then_three, joined) for arrival in taken(share))
    assert found == taken(Share([Part(0.0, 0, 1)]))
    assert max(arrival.at_s for arrival in taken(two_then_three[0])) < 35 <= max(a.at_s for a in taken(joined))


def test_shares_are_counted_between_two_moments():
    shares = {"a": Share([Part(0.0, 0, 3)]), "b": Share([Part(0.0, 1, 3), Part(20.0, 0, 0)])}
    found = {
        name: len([arrival for arrival in taken(share) if 10 <= arrival.at_s < 30]) for name, share in shares.items()
    }
    assert schedule().count(shares, 10, 30) == found
    assert found["a"] > 600 > found["b"] > 300


def test_classes_get_arrivals_by_their_weights_and_times_do_not_change():
    mixed = taken(Share([Part(0.0, 0, 1)]), classes=(("A", 3.0), ("B", 1.0)))
    assert [each.at_s for each in mixed] == [each.at_s for each in taken(Share([Part(0.0, 0, 1)]))]
    assert sum(each.user_class == "A" for each in mixed) / len(mixed) == pytest.approx(0.75, abs=0.03)
    assert {each.user_class for each in mixed} == {"A", "B"}
    assert mixed == taken(Share([Part(0.0, 0, 1)]), classes=(("A", 3.0), ("B", 1.0)))  # as in another process


def test_a_schedule_reaches_a_worker_as_it_is():
    for text in ("200/s", "gamma:20/s,cv=2"):
        sent = json.loads(json.dumps(schedule(text, (("A", 3.0), ("B", 1.0))).to_dict()))
        assert Schedule.from_dict(sent) == schedule(text, (("A", 3.0), ("B", 1.0)))
    traced = Schedule(ArrivalSpec("trace", trace=(0.0, 0.5)), 1, ONE)
    assert Schedule.from_dict(json.loads(json.dumps(traced.to_dict()))) == traced
    assert [each.at_s for each in traced.arrivals()] == [0.0, 0.5]


def test_random_numbers_of_a_seed_are_those_that_python_promises():
    assert Random(7).random() == 0.32383276483316237
