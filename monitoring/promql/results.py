"""What is asked of the results of finished runs: gauges that carry the run's id, so that two runs are one join."""

from collections.abc import Sequence

from monitoring.promql.text import chosen, family, grouping, max_by, over, quotient, renamed

INFO = "stream_client_result_info"
#: The two runs to compare, by the names of the variables that pick them.
BASE, NEW = "base", "new"
_LOAD = ("run_id", "scenario", "host", "trust")


def _last(name: str, *matchers: str, but: str = "") -> str:
    """Take a gauge's last value in the time range: its series ends with the process that had it."""
    metric = family(name, "gauge")
    return over("last_over_time", metric.name + chosen(metric, *matchers, but=but), "$__range")


def of_run(run: str, name: str, by: Sequence[str], *matchers: str) -> str:
    """Take a result of the run that a variable picks."""
    last = _last(name, f'run_id="${run}"', *matchers, but="run_id")
    return max_by(grouping(family(name, "gauge"), by), last)


def difference(name: str, by: Sequence[str], *matchers: str) -> str:
    """Subtract the base run's result from the new run's."""
    return f"{of_run(NEW, name, by, *matchers)} - {of_run(BASE, name, by, *matchers)}"


def ratio(name: str, by: Sequence[str], *matchers: str) -> str:
    """Divide the new run's result by the base run's; no answer where that is 0."""
    return quotient(of_run(NEW, name, by, *matchers), of_run(BASE, name, by, *matchers))


def same(label: str, *matchers: str) -> str:
    """Answer 1, with the label's value, where both runs have the same."""
    return f"{of_run(BASE, INFO, (label,), *matchers)} and on ({label}) {of_run(NEW, INFO, (label,), *matchers)}"


def different(label: str, *matchers: str) -> str:
    """Answer 0 where the runs differ, with the two values in the labels ``base`` and ``new``."""
    base, new = (max_by(run, renamed(of_run(run, INFO, (label,)), label, run)) for run in (BASE, NEW))
    return f"0 * {base} * on () group_left ({NEW}) {new} unless on () ({same(label, *matchers)})"


def of_each_run(name: str, *matchers: str) -> str:
    """Sum a result of each run in the time range over the chosen names, with the labels of its load."""
    result, about = f"sum by (run_id) ({_last(name, *matchers)})", max_by(", ".join(_LOAD), _last(INFO))
    return f"{result} * on (run_id) group_left ({', '.join(_LOAD[1:])}) {about}"
