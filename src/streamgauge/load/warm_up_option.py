"""The option that leaves a warm-up out of a run's figures."""

from typing import Any

from streamgauge.load.option import Option
from streamgauge.verdict.steady.warm_up import WarmUp, read_warm_up

WARM_UP = Option(
    "--stream-warm-up",
    "TIME|auto",
    read_warm_up,
    "Leave the first part of the run out of its figures: a time such as 30s, or auto for what comes before the run is "
    "steady; default nothing is left out",
)


def check_warm_up(parsed: Any, run_time_s: float) -> None:
    """Raise ValueError if nothing of a run of ``run_time_s`` (0 for no limit) would be left after its warm-up."""
    found: WarmUp | None = WARM_UP.value(parsed)
    if found is not None and found.seconds is not None and 0 < run_time_s <= found.seconds:
        raise ValueError(f"{WARM_UP.flag}: expected less than the run time of {run_time_s:g} s, got {found.asked!r}")
