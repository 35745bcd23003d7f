"""The schedule of a run's arrivals, and which process starts which of them. Standard library only.

Every process makes the whole schedule, since one seed gives the same one everywhere, and starts its own share: of W
processes, number i takes each arrival k with k mod W = i. When processes join or leave, a new division holds from a
stated moment of the schedule on, so that each arrival belongs to exactly one process.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, takewhile
from math import inf
from random import Random
from typing import Any, NamedTuple, Self

from streamgauge.load.arrivals.spec import ArrivalSpec
from streamgauge.load.shapes.shape import Shape
from streamgauge.load.shapes.shape_text import read_shape


class Arrival(NamedTuple):
    """One arrival: its number, its time in seconds since the start, and the user class that it goes to."""

    number: int
    at_s: float
    user_class: str


class Part(NamedTuple):
    """From ``from_s`` of the schedule on, a process takes each arrival k with k mod ``of`` = ``place``; 0 for none."""

    from_s: float
    place: int
    of: int


class Share:
    """The arrivals that one process takes."""

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self._parts: list[Part] = []
        for part in parts:
            self.add(part)

    def add(self, part: Part) -> None:
        """Add a part, which replaces those that begin at the same time or later."""
        self._parts = [*(each for each in self._parts if each.from_s < part.from_s), part]

    @property
    def begins_s(self) -> float:
        """When the process's first part begins; infinite if it has none."""
        return next((part.from_s for part in self._parts if part.of), inf)

    def to_list(self) -> list[list[float]]:
        """Return the parts for a message."""
        return [list(part) for part in self._parts]

    def has(self, arrival: Arrival) -> bool:
        """Whether the arrival is one of the process."""
        for part in reversed(self._parts):
            if part.from_s <= arrival.at_s:
                return part.of > 0 and arrival.number % part.of == part.place
        return False


@dataclass(frozen=True, slots=True)
class Schedule:
    """All arrivals of a run."""

    spec: ArrivalSpec
    seed: int
    classes: tuple[tuple[str, float], ...]
    """The user classes that stream, with their weights."""
    shape: Shape | None = None
    """The shape of the rate; None for the spec's own."""
    end_s: float | None = None
    """When the shape ends."""

    @property
    def length_s(self) -> float | None:
        """When the arrivals end; None if they go on until the run is stopped."""
        return self.spec.trace[-1] if self.spec.kind == "trace" else self.end_s

    def arrivals(self) -> Iterator[Arrival]:
        """Yield all arrivals, in the order of their times."""
        names = [name for name, _ in self.classes]
        if len(names) == 1:
            (only,) = names
            yield from (Arrival(number, at_s, only) for number, at_s in enumerate(self._times()))
            return
        random, sums = Random(f"user classes of {self.seed}"), list(accumulate(weight for _, weight in self.classes))
        for number, at_s in enumerate(self._times()):
            chosen = bisect_right(sums, random.random() * sums[-1])
            yield Arrival(number, at_s, names[min(chosen, len(names) - 1)])

    def _times(self) -> Iterator[float]:
        times = self.spec.times(self.seed, self.shape)
        end_s = self.end_s
        return times if end_s is None else takewhile(lambda at_s: at_s < end_s, times)

    def count(self, shares: Mapping[str, Share], from_s: float, until_s: float) -> dict[str, int]:
        """Return how many arrivals of each share come from ``from_s`` on and before ``until_s``.

        An arrival is in one share at most. One pass counts all shares; a million arrivals take about half a second.
        """
        found = dict.fromkeys(shares, 0)
        for arrival in self.arrivals():
            if arrival.at_s >= until_s:
                break
            if arrival.at_s >= from_s:
                for process, share in shares.items():
                    if share.has(arrival):
                        found[process] += 1
                        break
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return a form for messages to workers; :meth:`from_dict` reads it."""
        plain = {"spec": asdict(self.spec), "seed": self.seed, "classes": [list(each) for each in self.classes]}
        return plain | {"shape": self.shape and self.shape.text, "end_s": self.end_s}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the form that :meth:`to_dict` returns."""
        spec = data["spec"]
        trace = tuple(spec["trace"])
        classes = tuple((str(name), float(weight)) for name, weight in data["classes"])
        shape = read_shape(data["shape"]) if data["shape"] else None
        return cls(ArrivalSpec(**{**spec, "trace": trace}), data["seed"], classes, shape, data["end_s"])
