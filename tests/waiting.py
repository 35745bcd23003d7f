"""Waiting for what something else does."""

import time
from collections.abc import Callable
from typing import Any

#: Long enough on a machine that has much else to do.
PATIENCE_S = 180.0
#: The longest break between two looks; the first ones are shorter.
_LONGEST_BREAK_S = 0.1


def wait_until(condition: Callable[[], Any], what: str = "it came to pass", patience_s: float = PATIENCE_S) -> Any:
    """What the condition gives, once it is something. Raises AssertionError with ``what`` it waited for in vain."""
    deadline_s, break_s = time.monotonic() + patience_s, 0.001
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"not within {patience_s:g} s: {what}"
        time.sleep(break_s)
        break_s = min(2 * break_s, _LONGEST_BREAK_S)
    return found
