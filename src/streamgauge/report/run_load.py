"""What a result has of the load of an open model: its arrivals."""

from typing import TypedDict


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
