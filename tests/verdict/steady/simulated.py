"""Simulated services: the levels of their figures by second, some of which settle and some of which drift.

Values are logarithms of a second's median, with noise that neighbouring seconds share (AR(1)) and noise of their own.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamgauge.verdict.steady.run_series import MATERIAL, Series

#: Seconds of a run.
LENGTHS = (50, 60, 90, 120)


@dataclass(frozen=True)
class Noise:
    """How a second's median varies: 2 % together with its neighbours, 5 % by itself."""

    shared: float = 0.02
    correlation: float = 0.5
    own: float = 0.05
    heavy: bool = False

    def of(self, seconds: int, dice: random.Random) -> list[float]:
        level, found = dice.gauss(0, self.shared), []
        for _ in range(seconds):
            fresh = math.sqrt(1 - self.correlation**2) * self.shared
            level = self.correlation * level + dice.gauss(0, fresh)
            # Student's t of two degrees of freedom: its variance is infinite
            tail = 1 / math.sqrt(dice.gammavariate(1.0, 1.0)) if self.heavy else 1.0
            found.append(level + self.own * tail * dice.gauss(0, 1))
        return found


@dataclass(frozen=True)
class Service:
    """A figure of a service by second, and the second from which on it is within 10 % of its level."""

    levels: Sequence[float]
    settled_s: float = 0.0
    noise: Noise = Noise()


def either(dice: random.Random) -> int:
    return dice.choice((-1, 1))


def level(seconds: int, dice: random.Random) -> Service:
    return Service([0.0] * seconds)


def exponential(seconds: int, dice: random.Random) -> Service:
    """It settles by 2 to 8 % of the run, from a level up to three times higher or lower."""
    tau_s, away = dice.uniform(0.02, 0.08) * seconds, dice.uniform(0.3, 1.2)
    sign = either(dice)
    return Service([sign * away * math.exp(-t_s / tau_s) for t_s in range(seconds)], tau_s * math.log(away / 0.1))


def warm_caches(seconds: int, dice: random.Random) -> Service:
    """It becomes faster in one to three steps, the last within the first 30 %."""
    steps = sorted(dice.uniform(0.03, 0.3) * seconds for _ in range(dice.randint(1, 3)))
    by = dice.uniform(0.2, 0.6)
    return Service([by * sum(t_s < step for step in steps) for t_s in range(seconds)], steps[-1])


def ramp(seconds: int, dice: random.Random) -> Service:
    """It has more and more load for up to 30 % of the run, and then keeps it."""
    until_s = dice.uniform(0.05, 0.3) * seconds
    return Service([math.log(min(1.0, (t_s + 1) / until_s)) for t_s in range(seconds)], 0.9 * until_s)


def autocorrelated(seconds: int, dice: random.Random) -> Service:
    return Service([0.0] * seconds, noise=Noise(shared=0.07, correlation=dice.uniform(0.4, 0.8), own=0.03))


def heavy_tails(seconds: int, dice: random.Random) -> Service:
    return Service([0.0] * seconds, noise=Noise(heavy=True))


def linear_drift(seconds: int, dice: random.Random) -> Service:
    """It drifts by 20 to 60 % over the run."""
    by = either(dice) * dice.uniform(0.2, 0.6)
    return Service([by * t_s / seconds for t_s in range(seconds)])


def shift_in_the_middle(seconds: int, dice: random.Random) -> Service:
    at_s, by = dice.uniform(0.4, 0.75) * seconds, either(dice) * dice.uniform(0.15, 0.5)
    return Service([by * (t_s >= at_s) for t_s in range(seconds)])


def slow_oscillation(seconds: int, dice: random.Random) -> Service:
    """It goes up and down by 20 to 40 %, in 1 to 1.5 times the run."""
    period_s, by, phase = dice.uniform(1, 1.5) * seconds, dice.uniform(0.2, 0.4), dice.uniform(0, math.tau)
    return Service([by * math.sin(phase + math.tau * t_s / period_s) for t_s in range(seconds)])


def leak(seconds: int, dice: random.Random) -> Service:
    """It becomes slower and slower, by 30 to 100 % in the end."""
    by, power = dice.uniform(0.3, 1.0), dice.choice((2, 3))
    return Service([math.log1p(by * (t_s / seconds) ** power) for t_s in range(seconds)])


Kind = Callable[[int, random.Random], Service]
SETTLING: tuple[Kind, ...] = (level, exponential, warm_caches, ramp, autocorrelated, heavy_tails)
DRIFTING: tuple[Kind, ...] = (linear_drift, shift_in_the_middle, slow_oscillation, leak)


def run(kind: Kind, dice: random.Random) -> tuple[list[Series], Service]:
    """A run with three figures: one is of the given kind, and one more if the kind is one of noise; the others stay."""
    seconds = dice.choice(LENGTHS)
    service = kind(seconds, dice)
    second = kind if kind in (autocorrelated, heavy_tails) else level
    services = [service, second(seconds, dice), level(seconds, dice)]
    dice.shuffle(services)
    return [
        Series(key, key, range(seconds), [a + b for a, b in zip(each.levels, noise, strict=True)], MATERIAL)
        for key, each in zip(("first", "second", "third"), services, strict=True)
        for noise in [each.noise.of(seconds, dice)]
    ], service
