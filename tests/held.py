"""What a process holds, and what it still holds of things that are over: anything of that grows for good."""

import gc
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: A list of what was done would hold no less for each: a reference, and the smallest object.
LEAST_BYTES = 40
ROUNDS = 3


def held() -> Counter[str]:
    """Live objects by type, descriptors and threads."""
    gc.collect()
    found = Counter(
        {f"{kind.__module__}.{kind.__qualname__}": n for kind, n in Counter(map(type, gc.get_objects())).items()}
    )
    found["descriptors"] = sum(1 for _ in Path("/proc/self/fd").iterdir())
    found["threads"] = threading.active_count()
    return found


def left_behind(repeat: Callable[[], object], times: int, things: int = 1) -> dict[str, int]:
    """What each of several rounds of ``times`` repetitions leaves behind, after a first one that does not count.

    A repetition does ``things`` of a kind.

    What comes and goes, as the entries of a cache do, grows in one round and not in the next; what is never let go of
    grows in each. Of objects, descriptors and threads no round may leave one; of memory less than an object each.
    """
    with all_else_frozen():
        return _left_behind(repeat, times, things)


@contextmanager
def all_else_frozen() -> Iterator[None]:
    """Count nothing that was there before. The tests of a module may share this: all objects are looked at once."""
    if gc.get_freeze_count():
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _left_behind(repeat: Callable[[], object], times: int, things: int) -> dict[str, int]:
    tracemalloc.start()
    try:
        _round(repeat, times)
        before, least = held(), None
        for _ in range(ROUNDS):
            bytes_each = _round(repeat, times) / (times * things)
            now = held()
            grown = now - before  # the positive counts alone
            if bytes_each >= LEAST_BYTES:
                grown["bytes each"] = int(bytes_each)
            before, least = now, grown if least is None else least & grown
            del now, grown
    finally:
        tracemalloc.stop()
    assert least is not None
    return dict(least)


def _round(repeat: Callable[[], object], times: int) -> int:
    """Repeat, and return by how many bytes the memory grew meanwhile: nothing that is kept here counts."""
    began_bytes = _traced_bytes()
    for _ in range(times):
        repeat()
    return _traced_bytes() - began_bytes


def _traced_bytes() -> int:
    sys._clear_type_cache()  # it keeps names that were made up for a getattr
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
