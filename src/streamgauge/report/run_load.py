"""What a result has of the load of a run: the shape that it followed, and the arrivals of an open model."""

from typing import Literal, TypedDict


class ShapeSecond(TypedDict):
    """One second of a shape."""

    t_s: int
    wanted: float
    """The level of the shape, in its unit."""
    users: int | None
    """How many users there were at the end of the second; None if unknown, and for a shape of rates."""


class RunShape(TypedDict):
    """How the load changed over time, as ``--stream-shape`` says it."""

    text: str
    """The shape with all its parameters."""
    unit: Literal["users", "streams/s"]
    end_s: float | None
    """When the run was to end; None if it was to last until it is stopped."""
    seconds: list[ShapeSecond]


class Arrivals(TypedDict):
    """The arrivals of an open model."""

    process: str
    """As the option ``--stream-arrivals`` has it."""
    seed: int
    """The seed that gives the same arrivals again."""
    duration_s: float
    """How long arrivals were counted."""
    wanted_per_s: float
    """The mean rate that the schedule asks for over this time."""
    scheduled_per_s: float
    """The arrivals whose time came: as a process has chance in it, not exactly as many."""
    got_per_s: float
    """The arrivals that started, late ones included."""
