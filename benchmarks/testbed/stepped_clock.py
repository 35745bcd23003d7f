"""The paced scenario with a wall clock that steps during the run, and kernel stamps that step with it.

``STREAMGAUGE_STEP`` is ``AFTER_S:BY_S``: the clock steps by ``BY_S``, ``AFTER_S`` after the first stream's start.
"""

import os
import time
from functools import partial

from streamgauge.calibrate.scenario import Listener, write_first_chunks
from streamgauge.client.connect import stamped_socket, transport
from streamgauge.client.read import batch_reader
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.load import process_meter
from streamgauge.stats.clocks.arrival import ArrivalClock

AFTER_S, BY_S = map(float, os.environ["STREAMGAUGE_STEP"].split(":"))
_FAR_NS = 1 << 62


class _Wall:
    def __init__(self) -> None:
        self.step_at_ns = _FAR_NS

    def __call__(self) -> int:
        return self.stepped(time.time_ns())

    def stepped(self, true_ns: int) -> int:
        return true_ns + (int(BY_S * 1e9) if true_ns >= self.step_at_ns else 0)


WALL = _Wall()


class SteppedClock(ArrivalClock):
    """An arrival clock whose wall clock steps."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(WALL)


def _stepped(stamp_ns):  # type: ignore[no-untyped-def]
    """Return the stamp of a kernel whose clock steps; the first stamp sets the time of the step."""
    if stamp_ns is None:
        return None
    if WALL.step_at_ns == _FAR_NS:
        WALL.step_at_ns = time.time_ns() + int(AFTER_S * 1e9)
    return WALL.stepped(stamp_ns)


stamps_of, stamp_ns = stamped_socket.stamps_of, stamped_socket.stamp_ns
process_meter.ProcessContext = partial(ProcessContext, clock=SteppedClock())  # type: ignore[misc]
batch_reader.stamps_of = lambda reads: [_stepped(stamp) for stamp in stamps_of(reads)]
transport.stamp_ns = lambda ancillary: _stepped(stamp_ns(ancillary))
__all__ = ["Listener", "write_first_chunks"]
