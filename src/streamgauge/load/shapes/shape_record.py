"""What a run wanted by its shape, and how many users it had, second by second: for results, charts and live views."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from streamgauge.load.shapes.shape_options import ShapePlan
from streamgauge.report.shape_facts import RunShape, ShapeSecond
from streamgauge.report.units import number

#: A curve of the whole shape has at most so many points.
MOST_POINTS = 240
#: A curve without an end reaches at least so many times as far as the run.
_AHEAD = 1.1


@dataclass(slots=True)
class ShapeRecord:
    """The shape that a run follows."""

    plan: ShapePlan
    users: dict[int, int] = field(default_factory=dict)
    """The number of users at the end of each second, where the shape is one of users."""
    _curve: dict[str, list[float]] | None = None
    _curve_end_s: float = 0.0

    @property
    def cut_short(self) -> bool:
        """Whether users have not followed the shape to its end."""
        return self.plan.unit == "users" and len(self.users) < (self.plan.end_s or 0.0) - 0.5

    def note(self, before_s: int, users: int) -> None:
        """Note the number of users at the end of the seconds before ``before_s`` that are not noted yet."""
        for t_s in range(len(self.users), before_s):
            self.users[t_s] = users

    def result(self, last_s: int) -> RunShape:
        """Return what ``result.json`` has of the shape, up to the second ``last_s``."""
        end_s = math.inf if self.plan.end_s is None else self.plan.end_s
        if self.plan.unit == "users":
            end_s = min(end_s, len(self.users) + 1)  # a run that was stopped wanted no users after that
        seconds = [
            ShapeSecond(t_s=t_s, wanted=self.plan.wanted(t_s), users=self.users.get(t_s))
            for t_s in range(last_s + 1)
            if t_s < end_s
        ]
        return RunShape(text=self.plan.shape.text, unit=self.plan.unit, end_s=self.plan.end_s, seconds=seconds)

    def wanted_now(self, elapsed_s: float) -> float | None:
        """Return the level that is wanted now, as seconds of the result have it; None after the end of the shape."""
        t_s = len(self.users) if self.plan.unit == "users" else int(elapsed_s)
        return None if t_s >= (self.plan.end_s or math.inf) else self.plan.wanted(t_s)

    def most_users(self, t_s: int, step_s: int) -> int | None:
        """Return the most users in ``step_s`` seconds from ``t_s`` on; None if no second is known."""
        return max((self.users[each] for each in range(t_s, t_s + step_s) if each in self.users), default=None)

    def curve(self, now_s: int) -> dict[str, list[float]]:
        """Return the wanted level over the whole run, or, without an end, until a little after ``now_s``."""
        if self._curve is None or (self.plan.end_s is None and now_s * _AHEAD > self._curve_end_s):
            self._curve_end_s = self.plan.end_s or max(60.0, 1.5 * now_s)
            self._curve = self._curve_until(self._curve_end_s)
        return self._curve

    def _curve_until(self, end_s: float) -> dict[str, list[float]]:
        step_s = max(1, math.ceil(end_s / MOST_POINTS))
        times = range(0, math.ceil(end_s), step_s)
        return {"t_s": list(times), "wanted": [self._highest(range(t_s, t_s + step_s)) for t_s in times]}

    def _highest(self, seconds: Iterable[int]) -> float:
        return max(map(self.plan.wanted, seconds))

    def words(self, elapsed_s: float, users: int) -> str:
        """Return the shape's name, and where it is now: ``ramp, 40 of 100 users``."""
        now = users if self.plan.unit == "users" else self.plan.shape.level(elapsed_s)
        return f"{self.plan.shape.name}, {number(round(now))} of {number(round(self.plan.shape.peak))} {self.plan.unit}"
