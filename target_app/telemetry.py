"""The gauge's binary telemetry: frames of fixed-width readings, each with its number and checksum.

A frame is a big-endian header, ``magic (4 bytes, RVG1) · number (u32) · payload length (u32) · CRC-32 of the payload``,
and a payload of 12-byte records, ``Unix time (u32) · level in m (f32) · flow in m3/s (f32)``. A last record that does
not fit is cut; so is a frame shorter than its own header.
"""

import struct
import zlib
from functools import lru_cache

from target_app.readings import flow_m3s, level_m, time_of

MAGIC = b"RVG1"
HEADER = struct.Struct(">4sIII")
RECORD = struct.Struct(">Iff")
#: Readings in the block that all frames take their records from; it is repeated.
_BLOCK_READINGS = 96 * 9


@lru_cache(maxsize=1)
def _block() -> bytes:
    numbers = range(_BLOCK_READINGS)
    return b"".join(RECORD.pack(int(time_of(n).timestamp()), level_m(n), flow_m3s(n)) for n in numbers)


@lru_cache(maxsize=256)
def _payload(first: int, size_bytes: int) -> tuple[bytes, int]:
    """The records from ``first`` on, ``size_bytes`` long, and their checksum."""
    block, start = _block(), first * RECORD.size
    payload = (block * ((start + size_bytes) // len(block) + 1))[start : start + size_bytes]
    return payload, zlib.crc32(payload)


def frame(number: int, size_bytes: int) -> bytes:
    """Frame ``number``, exactly ``size_bytes`` long with its header."""
    payload, checksum = _payload(number % 96, max(0, size_bytes - HEADER.size))
    return (HEADER.pack(MAGIC, number & 0xFFFFFFFF, len(payload), checksum) + payload)[:size_bytes]
