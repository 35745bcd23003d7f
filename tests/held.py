"""What a process holds, and what it still holds of things that were done and are over: nothing, or it grows for good."""

import gc
import os
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable

#: A list of what was done would hold more for each: its reference alone.
LESS_THAN_A_REFERENCE_BYTES = 8
ROUNDS = 3


def held() -> Counter[str]:
    """Live objects by type, descriptors, threads, and bytes where memory is traced."""
    sys._clear_type_cache()  # it keeps names that were made up for a getattr
    gc.collect()
    found = Counter(
        {f"{kind.__module__}.{kind.__qualname__}": n for kind, n in Counter(map(type, gc.get_objects())).items()}
    )
    found["descriptors"] = len(os.listdir("/proc/self/fd"))
    found["threads"] = threading.active_count()
    found["bytes"] = tracemalloc.get_traced_memory()[0] // LESS_THAN_A_REFERENCE_BYTES
    return found


def left_behind(repeat: Callable[[], object], times: int, things: int = 1) -> dict[str, int]:
    """What each of several rounds of ``times`` repetitions leaves behind, after a first round that does not count.

    A repetition does ``things`` of a kind.

    What comes and goes, as the entries of a cache do, grows in one round and not in the next; what is never let go of
    grows in each. Of objects and descriptors no round may leave one, of memory no more than a reference each.
    """
    gc.collect()
    gc.freeze()  # what was there before need not be counted each time
    tracemalloc.start()
    try:
        for number in range(ROUNDS + 1):
            for _ in range(times):
                repeat()
            now = held()
            if number:
                grown = {kind: count - before[kind] for kind, count in now.items() if count > before[kind]}
                least = grown if number == 1 else {k: min(grown[k], n) for k, n in least.items() if k in grown}
            before = now
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    if least.get("bytes", 0) < times * things:
        least.pop("bytes", None)
    return least
