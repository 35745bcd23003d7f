"""The paced scenario on a wall clock that steps in mid-run, and the kernel's stamps with it.

``STREAMGAUGE_STEP`` is ``AFTER_S:BY_S``: so long after the first stream's start the clock steps, and so far.
"""

import os
import time

from streamgauge.calibrate.scenario import Listener, leave
from streamgauge.load import gauge
from streamgauge.measure.clock import ArrivalClock

AFTER_S, BY_S = map(float, os.environ["STREAMGAUGE_STEP"].split(":"))
_FAR_NS = 1 << 62


class _Wall:
    def __init__(self) -> None:
        self.step_at_ns = _FAR_NS

    def __call__(self) -> int:
        return self.stepped(time.time_ns())

    def stepped(self, true_ns: int) -> int:
        return true_ns + (int(BY_S * 1e9) if true_ns >= self.step_at_ns else 0)


class SteppedClock(ArrivalClock):
    """An arrival clock whose wall clock, and whose kernel's, steps."""

    __slots__ = ("_stepping",)

    def __init__(self, tick) -> None:  # type: ignore[no-untyped-def]
        self._stepping = _Wall()
        super().__init__(tick, self._stepping)

    def locate(self, stamp_ns: int | None) -> int:
        if self._stepping.step_at_ns == _FAR_NS:
            self._stepping.step_at_ns = time.time_ns() + int(AFTER_S * 1e9)
        return super().locate(None if stamp_ns is None else self._stepping.stepped(stamp_ns))


gauge.ArrivalClock = SteppedClock  # type: ignore[misc]
__all__ = ["Listener", "leave"]
