"""Made-up series in which no two numbers are alike, and plain Python that says what a panel has to make of them.

Counters grow by another amount at each step, so that a wrong window gives another number. The times are fixed: nothing
here depends on when or how fast a test runs.
"""

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass

from streamgauge.catalog import CATALOG
from streamgauge.stats.outcome import Outcome

NOW_S = 1_700_000_400
STEP_S = 15
RATE_S, BURN_S, RANGE_S, SHIFT_S = 120, 300, 600, 60
BASE, NEW = "run-b", "run-n"
TIMES_S = range(NOW_S - 1500, NOW_S + 1, STEP_S)
VALUES = {
    "route": ("/a", "/b"),
    "name": ("/a", "/b"),
    "protocol": ("sse", "ndjson"),
    "reason": ("too_many_streams", "rate_limited"),
    "rule": ("failed.ratio < 1%", "chunks > 9"),
    "worker": ("w1", "w2"),
    "method": ("GET", "POST"),
    "status_code": ("200", "404"),
    "pid": ("11", "12"),
}
OUTCOMES = {
    "server": ("completed", "error", "deadline", "client_disconnect", "send_timeout"),
    "client": tuple(outcome.value for outcome in Outcome),
}
TARGETS = {
    "server": [{"job": "app", "instance": each} for each in ("app:1", "app:2")],
    "client": [{"job": "load", "instance": each} for each in ("load:1", "load:2")],
}
#: A service that few streams fail at, so that some of its error budget is left. Only panels of budgets look at it.
CALM = {"job": "calm", "instance": "calm:1"}
ABOUT = {
    BASE: {"run_id": BASE, "scenario": "sse", "host": "http://one"},
    NEW: {"run_id": NEW, "scenario": "raw", "host": "http://two"},
}
STARTED_S = {BASE: NOW_S - 1000, NEW: NOW_S - 700}
TRUST = {BASE: 2, NEW: 1}
FIRED_S = NOW_S - 240
ALERT = {"alertname": "A", "severity": "page", "job": "app", "route": "/a", "name": "/b"}
RESULT_METRICS = {
    "seconds": ("time_to_first_chunk", "chunk_interval"),
    "counts": ("streams_started", "streams_failed", "chunks", "stalls"),
    "per_second": ("streams", "chunks", "tokens"),
    "ratio": ("failed", "coalesced", "stalls"),
}
STATS = ("mean", "p50", "p90", "p99", "max")


@dataclass(frozen=True)
class Series:
    name: str
    labels: dict[str, str]
    values: list[float]


class Data:
    """All series of the catalog, and what they come to."""

    def __init__(self):
        self.random = random.Random(7)
        self.series = []
        for metric in CATALOG.values():
            self._add_family(metric)
        self._add_runs()
        self._add_calm()
        self._by_name = defaultdict(list)
        for each in self.series:
            self._by_name[each.name].append(each)

    def _number(self):
        return self.random.randrange(10_000, 100_000)

    def _counter(self, times=1):
        """Values that never fall, from far above zero, so that no increase is taken for a start from zero."""
        return list(itertools.accumulate((times * self._number() for _ in TIMES_S), initial=1e8))[1:]

    def _gauge(self):
        return [float(self._number()) for _ in TIMES_S]

    def _add(self, name, labels, values):
        self.series.append(Series(name, labels, [float(each) for each in values]))

    def _constant(self, name, labels, value):
        self._add(name, labels, [value] * len(TIMES_S))

    def _add_family(self, metric):
        if "run_id" in metric.labels:
            return
        targets = TARGETS[metric.side]
        if metric.name.startswith("process_"):
            others = {"job": "prometheus", "instance": "prometheus:1"}
            targets = [*TARGETS["server"], *TARGETS["client"], others]
        choices = [OUTCOMES[metric.side] if label == "outcome" else VALUES[label] for label in metric.labels]
        for target, chosen in itertools.product(targets, itertools.product(*choices)):
            labels = target | dict(zip(metric.labels, chosen, strict=True))
            if metric.type == "histogram":
                self._add_histogram(metric, labels)
            else:
                self._add(metric.name, labels, self._counter() if metric.type == "counter" else self._gauge())

    def _add_histogram(self, metric, labels):
        below = [0.0] * len(TIMES_S)
        for bound in metric.buckets:
            below = [a + b for a, b in zip(below, self._counter(), strict=True)]
            self._add(f"{metric.name}_bucket", labels | {"le": str(float(bound))}, below)
        self._add(f"{metric.name}_bucket", labels | {"le": "+Inf"}, below)
        self._add(f"{metric.name}_count", labels, below)
        self._add(f"{metric.name}_sum", labels, self._counter())

    def _add_runs(self):
        for run, target in zip(ABOUT, TARGETS["client"], strict=True):
            about = ABOUT[run]
            self._constant("stream_client_run_info", target | about, 1)
            self._constant("stream_client_run_start_timestamp_seconds", target | about, STARTED_S[run])
            self._constant("stream_client_trust", target | about, TRUST[run])
            load = {"users": str(self._number()), "trust": "trusted" if run == BASE else "degraded"}
            self._constant("stream_client_result_info", target | about | load, 1)
            of_run = target | {"run_id": run}
            for name in ("duration_seconds", "warm_up_seconds", "steady_seconds", "users", "names_left_out"):
                self._constant(f"stream_client_result_{name}", of_run, self._number())
            for rule in VALUES["rule"]:
                self._constant("stream_client_result_slo_passed", of_run | {"rule": rule}, self._number())
            for name, protocol in itertools.product(VALUES["name"], VALUES["protocol"]):
                stream = of_run | {"name": name, "protocol": protocol}
                self._constant("stream_client_result_body_bytes", stream, self._number())
                for kind, metrics in RESULT_METRICS.items():
                    for metric, stat in itertools.product(metrics, STATS if kind == "seconds" else ("",)):
                        more = {"metric": metric} | ({"stat": stat} if stat else {})
                        self._constant(f"stream_client_result_{kind}", stream | more, self._number())
        self._constant("ALERTS", ALERT | {"alertstate": "firing"}, 1)
        self._constant("ALERTS_FOR_STATE", ALERT, FIRED_S)

    def _add_calm(self):
        labels = CALM | {"route": "/a", "protocol": "sse"}
        for outcome, times in {"completed": 4000, "error": 1, "deadline": 1}.items():
            self._add("stream_server_finished_total", labels | {"outcome": outcome}, self._counter(times))
        for name, le in (("time_to_first_chunk", "0.25"), ("chunk_interval", "0.5")):
            within = self._counter(300)
            both = [a + b for a, b in zip(within, self._counter(), strict=True)]
            self._add(f"stream_server_{name}_seconds_bucket", labels | {"le": le}, within)
            self._add(f"stream_server_{name}_seconds_count", labels, both)

    def open_metrics(self):
        """All of it, as ``promtool tsdb create-blocks-from openmetrics`` reads it."""
        for each in self.series:
            labels = ",".join(f'{label}="{value}"' for label, value in each.labels.items())
            for time_s, value in zip(TIMES_S, each.values, strict=True):
                yield f"{each.name}{{{labels}}} {value!r} {time_s}\n"
        yield "# EOF\n"

    def picked(self, name, where=()):
        """The series of a name whose labels have these values, each one value or several."""
        wanted = {label: (value,) if isinstance(value, str) else value for label, value in dict(where).items()}
        found = [s for s in self._by_name[name] if all(s.labels[label] in some for label, some in wanted.items())]
        return [s for s in found if "job" in wanted or s.labels["job"] != CALM["job"]]

    def _summed(self, found, by, worth):
        answer = defaultdict(float)
        for each in found:
            answer[frozenset((label, each.labels[label]) for label in by)] += worth(each)
        return dict(answer)

    def level(self, name, by=(), where=(), ago_s=0):
        """A gauge's last values, summed."""
        at = -1 - ago_s // STEP_S
        return self._summed(self.picked(name, where), by, lambda each: each.values[at])

    def lowest(self, name, by=()):
        """A gauge's last values, the lowest of each set of labels."""
        found = defaultdict(list)
        for each in self.picked(name):
            found[frozenset((label, each.labels[label]) for label in by)].append(each.values[-1])
        return {key: min(values) for key, values in found.items()}

    def rate(self, name, by=(), where=(), window_s=RATE_S, ago_s=0):
        """A counter's increase per second. A window of several samples lacks the one at its start."""
        end = len(TIMES_S) - 1 - ago_s // STEP_S
        start = end - window_s // STEP_S + 1
        lasted_s = (end - start) * STEP_S
        return self._summed(self.picked(name, where), by, lambda s: (s.values[end] - s.values[start]) / lasted_s)

    def buckets(self, name, by=(), where=(), ago_s=0):
        """For each set of labels, bounds and the rates of what was at most these, in order."""
        found = defaultdict(list)
        for key, value in self.rate(f"{name}_bucket", (*by, "le"), where, ago_s=ago_s).items():
            bound = float(dict(key)["le"])
            found[frozenset(pair for pair in key if pair[0] != "le")].append((bound, value))
        return {key: sorted(pairs) for key, pairs in found.items()}

    def quantile(self, q, name, by=(), where=(), ago_s=0):
        """Interpolated between the bounds of the bucket that holds it."""
        answer = {}
        for key, pairs in self.buckets(name, by, where, ago_s).items():
            rank, low, under = q * pairs[-1][1], 0.0, 0.0
            for bound, count in pairs:
                if count >= rank:
                    answer[key] = low + (bound - low) * (rank - under) / (count - under)
                    break
                low, under = bound, count
        return answer

    def bound(self, q, name, by=()):
        """The upper bound of the bucket that holds a quantile."""
        found = self.buckets(name, by).items()
        return {key: next(bound for bound, count in pairs if count >= q * pairs[-1][1]) for key, pairs in found}


def ratio(part, whole):
    return {key: part[key] / whole[key] for key in whole}


def less(a, b):
    return {key: a[key] - b[key] for key in a}
