"""Defines what ``result.json`` says of a run's shape."""

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
