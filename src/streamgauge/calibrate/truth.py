"""The percentiles of a run from the source's log: those that the client should have measured."""

import json
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

#: The file in which the scenario writes what it knows of its streams.
FIRST_CHUNKS = "first_chunks.json"
#: The client's record of a stream, in monotonic ns: the time that it stated in the request, the start of the stream,
#: and the arrival of the first chunk.
Beginning = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as the source sent it; all times are monotonic ns."""

    start_ns: int
    """When it began, as the client stated."""
    asked_ns: int
    """When the request arrived at the source."""
    before_ns: list[int]
    """Before each send …"""
    after_ns: list[int]
    """… and after it."""
    first_arrival_ns: int | None = None
    """When its first chunk arrived, as the client stated."""


class Truth(NamedTuple):
    """A percentile in seconds. The source reads its clock before and after each send, hence a least and a most."""

    least_s: float
    value_s: float
    most_s: float

    def difference_s(self, found_s: float) -> float:
        """Return how far ``found_s`` is from the range of the log; 0 if it lies within."""
        return max(0.0, found_s - self.most_s) or min(0.0, found_s - self.least_s)


def fetch(url: str) -> list[Stream]:
    """Fetch the streams that the source at ``url`` sent since the last call. Raises OSError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/log?sent=1", timeout=30) as reply:
        found = json.load(reply)
    return [
        Stream(start_ns or asked_ns, asked_ns, before_ns, after_ns)
        for before_ns, (start_ns, asked_ns, after_ns) in zip(found["streams"], found["sent"], strict=True)
    ]


def streams_of(url: str, directory: Path) -> list[Stream]:
    """Fetch the streams that the source sent, with what the run in ``directory`` recorded of them. Raises OSError."""
    return begun(fetch(url), json.loads((directory / FIRST_CHUNKS).read_text()))


def begun(streams: Iterable[Stream], beginnings: Iterable[Sequence[int]]) -> list[Stream]:
    """Add to ``streams`` what the client recorded of their beginnings."""
    known = {stated_ns: (start_ns, arrival_ns) for stated_ns, start_ns, arrival_ns in beginnings}
    return [
        replace(each, start_ns=known[each.start_ns][0], first_arrival_ns=known[each.start_ns][1])
        if each.start_ns in known
        else each
        for each in streams
    ]


def quantile(values: Iterable[int], q: float) -> int | None:
    """Return the value at or below which a share ``q`` of all lies (nearest rank); None if there are no values."""
    ordered = sorted(values)
    return ordered[max(1, -int(-q * len(ordered) // 1)) - 1] if ordered else None


def _truth(values_ns: Iterable[tuple[int, int, int]], q: float) -> Truth | None:
    columns = list(zip(*values_ns, strict=True))
    return Truth(*((quantile(column, q) or 0) / 1e9 for column in columns)) if columns else None


def time_to_first_chunk(streams: Iterable[Stream], q: float) -> Truth | None:
    """Return a percentile of the time from the start of a stream to the send of its first chunk."""
    sent = (each for each in streams if each.after_ns)
    return _truth(
        (
            (each.before_ns[0] - each.start_ns, each.before_ns[0] - each.start_ns, each.after_ns[0] - each.start_ns)
            for each in sent
        ),
        q,
    )


def chunk_interval(streams: Iterable[Stream], q: float) -> Truth | None:
    """Return a percentile of the time between one send and the next, pooled over the streams."""
    return _truth(
        (
            (max(0, later - earlier_after), later - earlier, later_after - earlier)
            for each in streams
            for (earlier, earlier_after), (later, later_after) in pairwise(
                zip(each.before_ns, each.after_ns, strict=True)
            )
        ),
        q,
    )


METRICS: dict[str, Callable[[Iterable[Stream], float], Truth | None]] = {
    "time_to_first_chunk": time_to_first_chunk,
    "chunk_interval": chunk_interval,
}
