"""Reads send stamps, which the server's middleware puts at the end of each event if the request asks for them.

The request asks with the field ``Streamgauge-Stamps: 1``. An event then ends with the comment line ``: sent=NS``, the
server's wall clock in ns right before its send; the first one has ``: clock=NAME received=NS`` before that, the name of
the server's clock and when it got the request. The server's side spells this itself, in ``streamgauge.asgi.stamps``.
"""

import re
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path

from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.clocks.raw_delays import RawDelays

#: The header field that asks for stamps.
REQUEST_FIELDS = {"Streamgauge-Stamps": "1"}
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MARK = b"\n: sent="
#: A Unix time in ns has 19 digits until the year 2286.
_DIGITS = 19
_STAMP = slice(-_DIGITS, None)
_MARK_PLACE = slice(-_DIGITS - len(_MARK), -_DIGITS)
_ORIGIN = re.compile(rb"\n: clock=([0-9a-f]{16}) received=([1-8][0-9]{18})\n: sent=[0-9]{19}$")
#: The first and the last year are 2001 and 2255: 64 bits hold the difference of any two stamps, as reports need it.
_LEAST, _BEYOND = b"1" + b"0" * 18, b"9"


@cache
def clock_name() -> str:
    """Return the name that servers on this machine give to its wall clock. All processes since one boot share it."""
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        boot = secrets.token_hex()
    return sha256(f"streamgauge clock {boot}".encode()).hexdigest()[:16]


class StampReader:
    """Measures the raw delays of one stream's chunks, once its first chunk has named the clock."""

    __slots__ = ("_clock", "_received_ns", "_timer")

    def __init__(self, timer: ChunkTimer) -> None:
        self._timer = timer
        self._clock = ""
        self._received_ns = 0

    def measure(self, chunks: list[bytes]) -> None:
        """Measure the delays of the chunks of one read, after they were timed."""
        begins = not self._clock
        if begins and not self._find_origin(chunks):
            return
        timer, raw = self._timer, self._raw_delays()
        if begins or raw.high is None:
            raw.note_request(timer.start_ns, self._received_ns)
        arrival_ns = timer.last_ns
        last = len(chunks) - 1
        for position, chunk in enumerate(chunks):
            digits = chunk[_STAMP]
            if chunk[_MARK_PLACE] != _MARK or not (_LEAST <= digits < _BEYOND and digits.isdigit()):
                continue
            if position == last and timer.exact:
                raw.chunk(arrival_ns, int(digits))
            else:
                raw.coalesced_chunk(timer.floor_ns, arrival_ns, int(digits))

    def _find_origin(self, chunks: list[bytes]) -> bool:
        for chunk in chunks:
            if found := _ORIGIN.search(chunk):
                self._clock, self._received_ns = found[1].decode(), int(found[2])
                return True
        return False

    def _raw_delays(self) -> RawDelays:
        """Return where the delays of this second are counted."""
        delays = self._timer.stats.delays
        raw = delays.get(self._clock)
        if raw is None:
            same = self._clock == clock_name()
            offset_ns = ArrivalClock().wall_offset_ns if same else None
            raw = delays[self._clock] = RawDelays(same_clock=same, hint_ns=None if offset_ns is None else -offset_ns)
        return raw
