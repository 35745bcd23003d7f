"""Defines what ``result.json`` says of a warm-up and of the steady window."""

from typing import Literal, TypedDict


class WarmUpFacts(TypedDict):
    """A warm-up that was asked for. ``streams`` of the result are those after it."""

    asked: str
    """A duration, or ``auto``."""
    until_s: int
    """The seconds from the start of the run that are left out; 0 if ``auto`` found no steady window."""
    failures: dict[str, int]
    """Streams that failed in it, by outcome: they are not judged."""


class SteadyFacts(TypedDict):
    """Whether the run was steady after its warm-up."""

    found: bool
    reason: str
    """Why there is no steady window; empty if there is one."""
    series: list[Literal["time_to_first_chunk", "chunk_interval", "chunks"] | str]
    """The figures by time that were judged."""
    slice_s: int
    """The window is exact to so many seconds."""
