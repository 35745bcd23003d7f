"""Arrival processes: when streams are to start. Pure arithmetic; standard library only.

1. A process at unit rate says after how much *rate* each arrival comes: on average one for each 1 of it.
2. A rate (streams per second) adds up over time: 200/s has added up to 400 after 2 s.
3. Arrival k comes at the time at which the rate has added up to the k-th value of the process.

So one process serves every rate, constant or changing, and a seed always gives the same arrivals.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from random import Random
from typing import Protocol

#: A time is found to within this.
PRECISION_S = 1e-7
#: No run lasts longer; an arrival after this never comes.
LONGEST_S = 1e9
_MOST_STEPS = 200


class Rate(Protocol):
    """A rate over the time of a run, in streams per second."""

    @property
    def peak(self) -> float:
        """The highest rate."""

    def level(self, t_s: float) -> float:
        """Return the rate at ``t_s``."""

    def area(self, t_s: float) -> float:
        """Return what the rate has added up to since 0: the mean number of arrivals until ``t_s``."""


@dataclass(frozen=True, slots=True)
class ConstantRate:
    """The same rate at all times."""

    per_s: float

    @property
    def peak(self) -> float:
        """The rate."""
        return self.per_s

    def level(self, t_s: float) -> float:  # noqa: ARG002 - of the protocol
        """Return the rate."""
        return self.per_s

    def area(self, t_s: float) -> float:
        """Return the number of arrivals until ``t_s``."""
        return self.per_s * max(0.0, t_s)


def even() -> Iterator[float]:
    """Yield the values of a process without chance: 0, 1, 2, …."""
    return map(float, count())


def poisson(random: Random) -> Iterator[float]:
    """Yield the values of a Poisson process: arrivals that are independent of each other."""
    return accumulate(-math.log(1.0 - random.random()) for _ in count())


def gamma(random: Random, cv: float) -> Iterator[float]:
    """Yield the values of a process whose gaps have the coefficient of variation ``cv``; above 1 it comes in bursts."""
    shape = 1 / cv**2
    return accumulate(random.gammavariate(shape, 1 / shape) for _ in count())


def times_of(process: Iterator[float], rate: Rate) -> Iterator[float]:
    """Yield the time of each arrival in seconds since the start, in order; ends with the last one that ever comes."""
    if isinstance(rate, ConstantRate):
        yield from (value / rate.per_s for value in process)
        return
    t_s = 0.0
    for value in process:
        found_s = time_at(rate, value, t_s)
        if found_s is None:
            return
        t_s = found_s
        yield t_s


def time_at(rate: Rate, value: float, since_s: float) -> float | None:
    """Return the first time, from ``since_s`` on, at which ``rate`` has added up to ``value``; None if it never does.

    Newton's method inside a bracket that it narrows; where the rate is 0 or jumps, the bracket is halved.
    """
    if rate.area(since_s) >= value:
        return since_s
    low_s, high_s = since_s, _later(rate, value, since_s)
    if high_s is None:
        return None
    t_s, area = low_s, rate.area(low_s)
    for _ in range(_MOST_STEPS):
        level = rate.level(t_s)
        guess_s = t_s + (value - area) / level if level > 0 else low_s
        if low_s <= guess_s <= high_s and level > 0 and abs(guess_s - t_s) <= PRECISION_S:
            return guess_s
        t_s = guess_s if low_s < guess_s < high_s else (low_s + high_s) / 2
        area = rate.area(t_s)
        low_s, high_s = (t_s, high_s) if area < value else (low_s, t_s)
        if high_s - low_s <= PRECISION_S:
            break
    return high_s


def _later(rate: Rate, value: float, since_s: float) -> float | None:
    """Return a time at which the rate has added up to ``value`` or more; None if there is none."""
    step_s = 1.0
    while rate.area(since_s + step_s) < value:
        step_s *= 2
        if step_s > LONGEST_S:
            return None
    return since_s + step_s
