"""Holds the record of a stream against its script and the server's log."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from tests.model_servers.scripts import Script
from tests.model_servers.server import Played

#: Between the monotonic clock that the server reads and the wall clock of the kernel's stamps.
BETWEEN_CLOCKS_S = 1e-4
#: A busy kernel may deliver a segment so long after the server's send has returned. A wrong frame or a wrong divisor
#: changes a time by more than twice as much.
DELIVERY_S = 3e-3


#: How often scripts are played until the times are right: a kernel that is busier still delivers even later. A wrong
#: frame is timed in every play.
_PLAYS = 3


class TimesDifferError(AssertionError):
    """Raised if a time is not the one of the server's log."""


def in_one_of_some_plays(test: Callable[..., None]) -> Callable[..., None]:
    """Let a test play its scripts again if a time differs."""

    @wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        for _ in range(_PLAYS - 1):
            with suppress(TimesDifferError):
                return test(*arguments, **options)
        return test(*arguments, **options)

    return run


def check_figures(script: Script, record: dict[str, Any]) -> None:
    """What was counted is as computed by hand."""
    found = {name: record[name] for name in ("outcome", "chunks", "tokens", "prompt_tokens")}
    by_hand = {
        "outcome": script.outcome,
        "chunks": script.chunks,
        "tokens": script.tokens,
        "prompt_tokens": script.prompt,
    }
    assert found == by_hand, record["reason"]
    assert script.reason in record["reason"]


def check_times(script: Script, record: dict[str, Any], played: Played) -> None:
    """The first content's time, and the time per output token, are those of the server's log."""
    if not script.chunks:
        assert record["time_to_first_chunk_s"] is record["time_per_output_token_s"] is None
        return
    first = played.moments(script, "first")
    since_s = record["start_s"]
    _check(record, "time_to_first_chunk", first[0] - since_s, first[1] - since_s)
    answers_later = record["time_to_first_answer_s"] > first[1] - since_s + BETWEEN_CLOCKS_S
    if record["time_to_first_chunk_range_s"] is None and answers_later != (script.answer > 1):
        raise TimesDifferError(f"time_to_first_answer is {record['time_to_first_answer_s']}, and by the log {first}")
    if not script.between:
        assert record["time_per_output_token_s"] is None
        return
    last = played.moments(script, "last")
    least_s, most_s = (last[0] - first[1]) / script.between, (last[1] - first[0]) / script.between
    _check(record, "time_per_output_token", least_s, most_s)


def _check(record: dict[str, Any], name: str, least_s: float, most_s: float) -> None:
    """A value lies in the log's bounds; a range, which a read of several frames leaves, meets them.

    Late deliveries of the last frame lengthen a time between two frames, and those of the first one shorten it.
    """
    value_s, range_s = record[f"{name}_s"], record[f"{name}_range_s"]
    low_s, high_s = range_s or (value_s, value_s)
    between = f"{name} is {value_s} {range_s}, and by the log between {least_s} and {most_s}"
    slack_s = BETWEEN_CLOCKS_S + DELIVERY_S
    if not (low_s <= most_s + slack_s and high_s >= least_s - slack_s):
        raise TimesDifferError(between)
