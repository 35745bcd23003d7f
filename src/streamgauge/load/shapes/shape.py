"""The shapes of a load: its level at each moment, and the area below the level, both exact. Standard library only.

A level is a number of users, or a rate in streams per second: a shape does not know which. Times count from the start
of the run, in seconds. Before 0 the level is 0; after the end of a shape its last level remains.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import ClassVar

#: A part of a shape in which the level is a straight line: its end, and the levels at its begin and at its end.
_Part = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shape(ABC):
    """A load over time. The names of its parameters in a text are the ``name`` of the fields' metadata."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def length_s(self) -> float | None:
        """When the shape ends; None for one that lasts until the run is stopped."""

    @property
    @abstractmethod
    def peak(self) -> float:
        """The highest level."""

    @abstractmethod
    def level(self, t_s: float) -> float:
        """Return the level at ``t_s``; where the level jumps, the one after the jump."""

    @abstractmethod
    def area(self, t_s: float) -> float:
        """Return the integral of the level from 0 to ``t_s``: with a rate in streams/s, the number of streams."""

    @property
    def text(self) -> str:
        """The shape with all its parameters, as ``read_shape`` reads it."""
        given = ((each, getattr(self, each.name)) for each in fields(self))
        words = (
            f"{each.metadata['name']}={_number(value)}{each.metadata['unit']}"
            for each, value in given
            if value is not None
        )
        return f"{self.name}:{','.join(words)}"


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _level(name: str) -> float:
    found: float = field(metadata={"name": name, "unit": ""})
    return found


def _time(name: str) -> float:
    found: float = field(metadata={"name": name, "unit": "s"})
    return found


class _Lines(Shape):
    """A shape of straight parts."""

    __slots__ = ()
    time_s: float | None

    @property
    def length_s(self) -> float | None:
        """When the last level is reached, or has lasted its time."""
        return self.time_s

    @abstractmethod
    def _parts(self) -> tuple[_Part, ...]:
        """Return the parts in order. The level at the end of the last one remains."""

    @property
    def peak(self) -> float:
        """The highest level."""
        return max(level for _, *levels in self._parts() for level in levels)

    def level(self, t_s: float) -> float:
        """Return the level at ``t_s``."""
        begin_s = after = 0.0
        if t_s < 0:
            return 0.0
        for end_s, before, after in self._parts():
            if t_s < end_s:
                return before + (after - before) * (t_s - begin_s) / (end_s - begin_s)
            begin_s = end_s
        return after

    def area(self, t_s: float) -> float:
        """Return the area until ``t_s``."""
        total = begin_s = after = 0.0
        if t_s <= 0:
            return 0.0
        for end_s, before, after in self._parts():
            lasted_s = min(t_s, end_s) - begin_s
            if lasted_s <= 0:
                return total
            slope = (after - before) / (end_s - begin_s)
            total += lasted_s * (before + slope * lasted_s / 2)
            begin_s = end_s
        return total + after * max(0.0, t_s - begin_s)


@dataclass(frozen=True, slots=True)
class Ramp(_Lines):
    """A level that rises, or falls, evenly."""

    name = "ramp"
    start: float = _level("from")
    to: float = _level("to")
    time_s: float = _time("time")

    def _parts(self) -> tuple[_Part, ...]:
        return ((self.time_s, self.start, self.to),)


@dataclass(frozen=True, slots=True)
class Step(Shape):
    """A level that changes by ``by`` after every ``every_s`` until it is ``to``, which lasts as long as the others."""

    name = "step"
    start: float = _level("from")
    by: float = _level("by")
    every_s: float = _time("every")
    to: float = _level("to")

    @property
    def _steps(self) -> int:
        return math.ceil(abs(self.to - self.start) / self.by * (1 - 1e-12)) if self.to != self.start else 0

    @property
    def length_s(self) -> float:
        """When the last level is reached, or has lasted its time."""
        return (self._steps + 1) * self.every_s

    @property
    def peak(self) -> float:
        """The highest level."""
        return max(self.start, self.to)

    def _after(self, steps: int) -> float:
        if steps >= self._steps:
            return self.to
        return self.start + math.copysign(self.by, self.to - self.start) * steps

    def level(self, t_s: float) -> float:
        """Return the level at ``t_s``."""
        return 0.0 if t_s < 0 else self._after(math.floor(t_s / self.every_s))

    def area(self, t_s: float) -> float:
        """Return the area until ``t_s``."""
        if t_s <= 0:
            return 0.0
        whole = min(math.floor(t_s / self.every_s), self._steps)
        sum_of_levels = whole * (self.start + self._after(whole - 1)) / 2 if whole else 0.0
        return sum_of_levels * self.every_s + self._after(whole) * (t_s - whole * self.every_s)


@dataclass(frozen=True, slots=True)
class Spike(_Lines):
    """A level that jumps to a peak for a while."""

    name = "spike"
    base: float = _level("base")
    top: float = _level("peak")
    at_s: float = _time("at")
    for_s: float = _time("for")
    time_s: float = _time("time")

    def _parts(self) -> tuple[_Part, ...]:
        base, down_s = self.base, self.at_s + self.for_s
        found = ((self.at_s, base, base), (down_s, self.top, self.top), (max(down_s, self.time_s), base, base))
        return tuple(part for part, begin_s in zip(found, (0.0, self.at_s, down_s), strict=True) if part[0] > begin_s)


@dataclass(frozen=True, slots=True)
class Soak(_Lines):
    """A level that is reached evenly and then lasts."""

    name = "soak"
    steady: float = _level("level")
    rise_s: float = _time("rise")
    time_s: float | None = _time("time")

    def _parts(self) -> tuple[_Part, ...]:
        return ((self.rise_s, 0.0, self.steady),) if self.rise_s else ((1.0, self.steady, self.steady),)


@dataclass(frozen=True, slots=True)
class Wave(Shape):
    """A level that swings as a cosine between two others, and begins with the lower one."""

    name = "wave"
    low: float = _level("low")
    high: float = _level("high")
    period_s: float = _time("period")
    time_s: float = _time("time")

    @property
    def length_s(self) -> float:
        """When the last level is reached, or has lasted its time."""
        return self.time_s

    @property
    def peak(self) -> float:
        """The highest level."""
        return self.high if self.time_s >= self.period_s / 2 else self.level(self.time_s)

    def level(self, t_s: float) -> float:
        """Return the level at ``t_s``."""
        if t_s < 0:
            return 0.0
        turn = 2 * math.pi * min(t_s, self.time_s) / self.period_s
        return self.low + (self.high - self.low) * (1 - math.cos(turn)) / 2

    def area(self, t_s: float) -> float:
        """Return the area until ``t_s``."""
        if t_s <= 0:
            return 0.0
        swinging_s = min(t_s, self.time_s)
        sine_s = math.sin(2 * math.pi * swinging_s / self.period_s) * self.period_s / (2 * math.pi)
        swung = self.low * swinging_s + (self.high - self.low) * (swinging_s - sine_s) / 2
        return swung + self.level(self.time_s) * (t_s - swinging_s)
