"""The option that leaves a warm-up out of a run's figures."""

from collections.abc import Iterator
from typing import Any

from streamgauge.load.arrivals.arrival_options import open_model, plan_of_rates
from streamgauge.load.option import Option
from streamgauge.load.shapes.shape_options import plan_of_users
from streamgauge.verdict.steady.warm_up import WarmUp, read_warm_up

WARM_UP = Option(
    "--stream-warm-up",
    "TIME|auto",
    read_warm_up,
    "Leave the first part of the run out of its figures: a time such as 30s, or auto for what comes before the run is "
    "steady; default nothing is left out",
)


def check_warm_up(parsed: Any) -> None:
    """Raise ValueError if nothing of a run would be left after its warm-up.

    A run ends at its run time, with its shape, or with the trace of its arrivals.
    """
    found: WarmUp | None = WARM_UP.value(parsed)
    if found is None or found.seconds is None:
        return
    for name, length_s in _lengths(parsed):
        if length_s <= found.seconds:
            raise ValueError(f"{WARM_UP.flag}: expected less than the {name} of {length_s:g} s, got {found.asked!r}")


def _lengths(parsed: Any) -> Iterator[tuple[str, float]]:
    """Yield what ends the run, and after how many seconds."""
    if run_time_s := float(getattr(parsed, "run_time", None) or 0):
        yield "run time", run_time_s
    arrivals = open_model(parsed)
    if arrivals is not None and arrivals.kind == "trace":
        yield "trace", arrivals.trace[-1]
    plan = plan_of_users(parsed) if arrivals is None else plan_of_rates(parsed, arrivals)
    if plan is not None and plan.end_s is not None:
        yield "shape", plan.end_s
