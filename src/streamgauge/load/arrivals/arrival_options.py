"""The options of the open model: which arrivals, and their seed."""

from typing import Any

from streamgauge.load import checks
from streamgauge.load.arrivals.arrival_times import Rate
from streamgauge.load.arrivals.spec import ArrivalSpec, read_arrivals
from streamgauge.load.option import Option
from streamgauge.load.shapes.shape_options import SHAPE, ShapePlan, shape_plan

ARRIVALS = Option(
    "--stream-arrivals",
    "RATE",
    read_arrivals,
    "Open model: start streams at this rate, whatever the service does: 200/s, poisson:200/s, gamma:200/s,cv=2 or "
    "trace:FILE[,SCALE]; --users then limits the streams under way",
)
SEED = Option(
    "--stream-seed",
    "N",
    checks.times,
    "Seed of the arrivals, so that a run can be repeated; default a new one, which the result names",
)
#: Streams may last this long at the full rate before the default limit of streams under way is reached.
_CAP_S = 10.0
_LEAST_CAP, _MOST_CAP = 1000, 5000


def open_model(parsed: Any) -> ArrivalSpec | None:
    """Return the arrivals of Locust's parsed options; None for the closed model.

    Raises ValueError that names the option and its value.
    """
    spec: ArrivalSpec | None = ARRIVALS.value(parsed)
    SEED.value(parsed)
    if spec is None:
        return None
    plan, given = plan_of_rates(parsed, spec), getattr(parsed, ARRIVALS.dest)
    if spec.kind == "trace" and plan is not None:
        raise ValueError(f"{ARRIVALS.flag}, {SHAPE.flag}: a trace has its own rate; leave one out, got {given!r}")
    if spec.kind != "trace" and spec.per_s is None and plan is None:
        raise ValueError(f"{ARRIVALS.flag}: expected a rate, as in {spec.kind}:200/s, or a {SHAPE.flag}, got {given!r}")
    return spec


def plan_of_rates(parsed: Any, spec: ArrivalSpec) -> ShapePlan | None:
    """Return the shape of the rate, whose levels come from the rate of the arrivals; None if it does not change.

    Raises ValueError that names the option.
    """
    run_time = getattr(parsed, "run_time", None)
    return shape_plan(parsed, unit="streams/s", level=spec.per_s, end_s=float(run_time) if run_time else None)


def is_open(parsed: Any) -> bool:
    """Whether the option is set, which needs no reading of traces."""
    return bool(getattr(parsed, ARRIVALS.dest, ""))


def default_cap(spec: ArrivalSpec, rate: Rate | None) -> int:
    """Return how many streams may be under way where ``--users`` does not say it; ``rate`` is that of a shape."""
    return min(_MOST_CAP, max(_LEAST_CAP, round(spec.peak(rate) * _CAP_S)))
