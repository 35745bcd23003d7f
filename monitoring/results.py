"""PromQL on the results of finished runs: gauges that carry the run's id, so that two runs are one join."""

from collections.abc import Sequence

from monitoring.promql import family, grouping, selector

INFO = "stream_client_result_info"
#: The two runs that are compared, by the names of the variables that pick them.
BASE, NEW = "base", "new"
_LOAD = ("run_id", "scenario", "host", "trust")


def _last(name: str, *matchers: str, but: str = "") -> str:
    """A gauge's last value in the time shown: its series ends with the process that had it."""
    metric = family(name, "gauge")
    return f"last_over_time({metric.name}{selector(metric, *matchers, but=but)}[$__range])"


def of_run(run: str, name: str, by: Sequence[str], *matchers: str) -> str:
    """A result of the run that a variable picks."""
    chosen = _last(name, f'run_id="${run}"', *matchers, but="run_id")
    return f"max by ({grouping(family(name, 'gauge'), by)}) ({chosen})"


def difference(name: str, by: Sequence[str], *matchers: str) -> str:
    """The new run's result less the base's."""
    return f"{of_run(NEW, name, by, *matchers)} - {of_run(BASE, name, by, *matchers)}"


def ratio(name: str, by: Sequence[str], *matchers: str) -> str:
    """The new run's result over the base's; no answer where that is 0."""
    return f"{of_run(NEW, name, by, *matchers)} / ({of_run(BASE, name, by, *matchers)} > 0)"


def same(label: str, *matchers: str) -> str:
    """1 where both runs have the same value of a label of the load; the label says which."""
    return f"{of_run(BASE, INFO, (label,), *matchers)} and on ({label}) {of_run(NEW, INFO, (label,), *matchers)}"


def unlike(label: str, *matchers: str) -> str:
    """0 where they have not, under the labels ``base`` and ``new``, which hold the two values."""
    base, new = (
        f'max by ({run}) (label_replace({of_run(run, INFO, (label,))}, "{run}", "$1", "{label}", "(.*)"))'
        for run in (BASE, NEW)
    )
    return f"0 * {base} * on () group_left ({NEW}) {new} unless on () ({same(label, *matchers)})"


def of_each_run(name: str, *matchers: str) -> str:
    """A result of each run in the time shown, all chosen names together, beside what load it was."""
    load = ", ".join(_LOAD)
    result, about = f"sum by (run_id) ({_last(name, *matchers)})", f"max by ({load}) ({_last(INFO)})"
    return f"{result} * on (run_id) group_left ({', '.join(_LOAD[1:])}) {about}"
