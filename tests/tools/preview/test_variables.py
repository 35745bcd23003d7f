"""Intervals and variables, as Grafana works them out."""

import pytest

from tools.preview.prometheus import Series
from tools.preview.variables import Variables, Window, options, resolve


class Answering:
    """What Prometheus says, and what it was asked."""

    def __init__(self, values=(), series=()):
        self.values, self.series, self.asked = values, series, []

    def label_values(self, label, series, start_s, end_s):
        self.asked.append((label, series))
        return list(self.values)

    def instant(self, query, at_s):
        self.asked.append(query)
        return list(self.series)


def variable(**keys):
    return {"name": "run", "label": "Run", "type": "query", "hide": 0, "includeAll": False, "sort": 1} | keys


@pytest.mark.parametrize(
    ("length_s", "points", "interval_s", "rate_interval_s"),
    [(900, 700, 2, 8), (3600, 700, 5, 8), (21_600, 700, 30, 32), (86_400, 1000, 60, 62), (604_800, 700, 900, 902)],
)
def test_intervals_are_grafana_s(length_s, points, interval_s, rate_interval_s):
    window = Window(0, length_s)
    assert window.interval_s(points) == interval_s
    assert window.rate_interval_s(points) == rate_interval_s


def test_both_forms_of_a_variable_are_filled_and_unknown_ones_stay():
    variables = Variables(Window(0, 900), {"job": ".+", "base_s": "60"})
    assert variables.substitute('a{job=~"$job"}[${base_s}s] $other $__range', 700) == 'a{job=~".+"}[60s] $other 900s'


def test_a_later_variable_s_query_gets_the_values_of_those_before_it():
    source = Answering(["b", "a"])
    templating = [
        variable(name="job", label="Job", includeAll=True, allValue=".+", query={"query": "label_values(up, job)"}),
        variable(query={"query": 'label_values(up{job=~"$job"}, run_id)'}),
    ]
    variables = resolve({"templating": {"list": templating}}, source, Window(0, 900), {})
    assert source.asked == [("run_id", 'up{job=~".+"}')]
    assert variables.values == {"job": ".+", "run": "a"}
    assert variables.shown == {"Job": "All", "Run": "a"}


def test_a_descending_variable_starts_with_its_last_value():
    offered = options(
        variable(sort=2, query={"query": "label_values(up, run_id)"}), Answering("abc"), Variables(Window(0, 9))
    )
    assert offered == ["c", "b", "a"]


def test_a_worked_out_variable_is_the_value_of_its_query():
    source = Answering(series=[Series({}, [9.0], [1795369734.0])])
    asked = variable(query={"query": "query_result(max(up))"}, regex=r"/\} (\S+) \d+$/", hide=2)
    assert options(asked, source, Variables(Window(0, 9))) == ["1795369734"]


def test_what_was_chosen_is_used():
    asked = {"templating": {"list": [variable(query={"query": "label_values(up, run_id)"})]}}
    assert resolve(asked, Answering("abc"), Window(0, 9), {"run": "b"}).values == {"run": "b"}
