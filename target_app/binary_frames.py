"""Readings as binary frames of fixed-width records, each frame with its number and checksum.

A frame is a big-endian header, ``magic (4 bytes, RVG1) · number (u32) · payload length (u32) · CRC-32 of the payload``,
and a payload of 12-byte records, ``Unix time (u32) · level in m (f32) · flow in m3/s (f32)``. The last record is cut if
it does not fit, and so is a frame shorter than its header.
"""

import struct
import zlib
from functools import lru_cache

from target_app.readings import CYCLE_READINGS, flow_m3s, level_m, time_of
from target_app.sample_text import Repeating

MAGIC = b"RVG1"
HEADER = struct.Struct(">4sIII")
RECORD = struct.Struct(">Iff")


_RECORDS = Repeating(
    b"".join(RECORD.pack(int(time_of(n).timestamp()), level_m(n), flow_m3s(n)) for n in range(CYCLE_READINGS))
)


@lru_cache(maxsize=4096)
def _checksum(first: int, size_bytes: int) -> int:
    return zlib.crc32(_RECORDS.piece(first * RECORD.size, size_bytes))


def frame(number: int, size_bytes: int) -> bytes:
    """Encode frame ``number``, ``size_bytes`` long with its header. Its records begin with reading ``number``."""
    first, payload_bytes = number % CYCLE_READINGS, max(0, size_bytes - HEADER.size)
    header = HEADER.pack(MAGIC, number & 0xFFFFFFFF, payload_bytes, _checksum(first, payload_bytes))
    return (header + _RECORDS.piece(first * RECORD.size, payload_bytes))[:size_bytes]
