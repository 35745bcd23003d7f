"""The option ``--stream-shape``, and what it means for a run: a shape, its unit, and the end of the run."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from streamgauge.load.option import Option
from streamgauge.load.option_names import dest
from streamgauge.load.shapes.shape import Shape
from streamgauge.load.shapes.shape_text import EXAMPLE, SHAPES, any_of, read_shape

#: With arrivals, a shape is one of rates, and the number of users stays as it is.
_ARRIVALS = dest("--stream-arrivals")

SHAPE = Option(
    "--stream-shape",
    "SHAPE",
    read_shape,
    f"How the number of users (with arrivals: their rate) changes over time: {any_of(SHAPES)}, alone or with "
    f"parameters: {EXAMPLE}, step:by=10,every=30s,to=100, spike:base=10,peak=200,at=30s,for=10s, "
    "soak:level=50,rise=1m,time=2h, wave:low=10,high=50,period=1m,time=10m. Defaults come from the number of users and "
    "the run time; the spawn rate is not used",
)

Unit = Literal["users", "streams/s"]
#: The lowest peak of a shape that loads anything: users are whole.
_LEAST: dict[Unit, float] = {"users": 0.5, "streams/s": 1e-9}


@dataclass(frozen=True, slots=True)
class ShapePlan:
    """The shape of a run."""

    shape: Shape
    unit: Unit
    end_s: float | None
    """When the run ends: at its run time, or else with the shape; None if neither has an end."""

    def wanted(self, t_s: int) -> float:
        """Return the level in the middle of the second that begins at ``t_s``; users are whole."""
        level = self.shape.level(t_s + 0.5)
        return math.floor(level + 0.5) if self.unit == "users" else level


def shape_plan(parsed: Any, *, unit: Unit, level: float | None, end_s: float | None = None) -> ShapePlan | None:
    """Return what ``--stream-shape`` says in Locust's parsed options; None if it is not set.

    ``level`` is the default of the shape's whole level: the number of users or, with arrivals, their rate in streams/s.
    ``end_s`` is the run time if the run has one. Raises ValueError that names the option.

    Locust does not send the number of users and the run time to workers. If workers need a shape, let the master send
    them ``plan.shape.text``, which has every parameter.
    """
    text = str(getattr(parsed, SHAPE.dest, "") or "")
    if not text:
        return None
    try:
        shape = read_shape(text, level=level, time_s=end_s)
        if shape.peak < _LEAST[unit]:
            raise ValueError(f"expected a level of {unit} above 0, got {text!r}")
    except ValueError as error:
        raise ValueError(f"{SHAPE.flag}: {error}") from None
    return ShapePlan(shape, unit, end_s or shape.length_s)


def shapes_users(parsed: Any) -> bool:
    """Whether ``--stream-shape`` is set and is one of users, not of arrivals."""
    return bool(getattr(parsed, SHAPE.dest, "")) and not getattr(parsed, _ARRIVALS, "")


def plan_of_users(parsed: Any) -> ShapePlan | None:
    """Return the shape of the number of users; None without a shape, and where the shape is one of arrivals.

    Raises ValueError that names the option.
    """
    if not shapes_users(parsed):
        return None
    users, run_time = getattr(parsed, "num_users", None), getattr(parsed, "run_time", None)
    return shape_plan(
        parsed, unit="users", level=users if users and users > 0 else None, end_s=float(run_time) if run_time else None
    )
