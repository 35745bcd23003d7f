"""Defines what ``result.json`` says of the clocks and the token rates of the streams of one name."""

from typing import Literal, TypedDict


class ChunkDelayClock(TypedDict):
    """How the clocks of servers and load generators were aligned, over all pairs of them."""

    method: Literal["same_clock", "minimum_filter", "mixed"]
    """``same_clock``: one machine's clock stamped sends and arrivals; ``minimum_filter``: the smallest delays give the
    offset."""
    pairs: int
    """Number of pairs of a load generator process and a server clock."""
    uncertainty_s: float | None
    """Largest error of each delay; None if the smallest delay is unknown, so that delays are measured from it."""
    offset_s: tuple[float, float]
    """Server clock minus the load generator's: the smallest and the largest of all pairs."""
    drift_ppm: tuple[float, float]


class TokenRate(TypedDict):
    """Tokens per second of the streams of one name."""

    in_all: float | None
    """All tokens over the duration of the run."""
    p50: float | None
    """At least this rate in 50 % of the streams that did not fail, each over its whole duration."""
    p10: float | None
    """At least this rate in 90 % of them."""
    p1: float | None
    """At least this rate in 99 % of them."""
