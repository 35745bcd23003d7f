"""All targets of the fuzzer, in the order in which an input picks one."""

from collections.abc import Callable
from functools import partial
from typing import Any

from wire_streams import STREAMS, check_resumption, check_stream
from wire_ways import check_ways
from wire_whole import check_whole
from wire_words import check_end_of, check_handshake, check_json, check_numbers, check_words

#: Given bytes, and sizes to split them at or to choose by. Raises anything at all where something does not hold.
Target = Callable[[bytes, list[int]], Any]

TARGETS: dict[str, Target] = {run.__name__: partial(check_stream, run) for run in STREAMS} | {
    check.__name__: check
    for check in (
        check_resumption,
        check_whole,
        check_ways,
        check_words,
        check_handshake,
        check_json,
        check_numbers,
        check_end_of,
    )
}
