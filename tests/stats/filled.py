"""Objects that hold a value of its own, and never nothing, in every field that their class has.

A field is filled by what its default is, not by its name. So a field that is new is filled too, and a merge that does
not know of it loses what it holds. ``filled(cls, 1, 2)`` is what ``filled(cls, 1)`` and ``filled(cls, 2)`` come to.
"""

import dataclasses
from collections import Counter
from typing import Any

from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import HIGHEST_NS, Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.sizes import Sizes
from streamgauge.stats.slowest import Slowest
from streamgauge.stats.stream_stats import StreamStats

KEYS = (("a", "sse"), ("b", "ndjson"))
OFFSET_NS = -1_700_000_000_000_000_000


def fields_of(kind: type) -> list[str]:
    """Every field that an object of a class keeps."""
    if issubclass(kind, BoundedTimes):
        return sorted((*kind.PARTS, *(["failed"] if kind is FirstChunkTimes else [])))
    if dataclasses.is_dataclass(kind):
        return [each.name for each in dataclasses.fields(kind)]
    slots = [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]
    return sorted(slots or vars(kind()))


def filled(kind: type, *parts: int) -> Any:
    """An object whose every field holds what all of ``parts`` do."""
    whole = SecondReport(0, 0) if kind is SecondReport else kind()
    for at, name in enumerate(fields_of(kind)):
        setattr(whole, name, _value(getattr(whole, name), name, [1000 * (at + 1) + 17 * part for part in parts]))
    return whole


def slowest(*numbers: int) -> Slowest:
    """As many slow streams by each measure, all distinct."""
    found = Slowest()
    for number in numbers:
        found.count(
            StreamRecord("a", "sse", Outcome.STALLED, 0.0, number + 0.5, time_to_first_chunk_s=number + 0.25,
                         max_chunk_interval_s=number + 0.125, chunks=number)
        )  # fmt: skip
    return found


def _value(empty: Any, name: str, numbers: list[int]) -> Any:
    """What ``numbers`` come to in a field that is ``empty`` so far; no two fields have the same number."""
    if name == "typical_chunks":
        return float(sum(numbers))
    if isinstance(empty, int | float):
        return type(empty)(sum(numbers))
    if isinstance(empty, Histogram):
        return histogram(*numbers)
    if isinstance(empty, BoundedTimes):
        return bounded_times(*numbers, kind=type(empty))
    if isinstance(empty, Sizes):
        return sizes(*numbers)
    if isinstance(empty, Counter):
        kinds = list(Outcome) if name == "outcomes" else ["truncated: it was cut", "stalled: nothing came"]
        return type(empty)({str(kind): sum(numbers) + at * len(numbers) for at, kind in enumerate(kinds)})
    if isinstance(empty, Slowest):
        return slowest(*numbers)
    if name == "delays":
        return {clock: raw_delays(numbers[0] + at) for at, clock in enumerate(("one", "other"))}
    if name == "all_stats":
        return {key: filled(StreamStats, at + numbers[0] % 1000) for at, key in enumerate(KEYS)}
    if name == "options_used":
        return {"First": [f"option {number}" for number in numbers], "Second": ["same"]}
    raise TypeError(f"how to fill the field {name}, whose default is {empty!r}?")


def histogram(*numbers: int) -> Histogram:
    """Durations: more the later the number, one of them above the highest that a histogram tells. The last one waits
    to be counted with others, as it may at any time; ``counts`` counts those before.
    """
    found = Histogram()
    for number in numbers:
        found.record_all_ns([number * 10_000] * (number % 7 + 1))
        found.record_ns(HIGHEST_NS + number)
    assert found.counts
    for number in numbers:
        found.record_ns(number * 10_000)
    return found


def sizes(*numbers: int) -> Sizes:
    """Sizes of chunks."""
    found = Sizes()
    for number in numbers:
        found.record_all([number % 60, number])
    assert found.counts
    for number in numbers:
        found.record_all([number * 100])
    return found


def bounded_times(*numbers: int, kind: type[BoundedTimes] = BoundedTimes) -> BoundedTimes:
    """Times of every part."""
    found = kind()
    for at, part in enumerate(fields_of(kind)):
        setattr(found, part, _value(getattr(found, part), part, [number + 100 * at for number in numbers]))
    return found


def raw_delays(number: int, *, same_clock: bool = True) -> RawDelays:
    """Chunks that a server stamped, some of them read together."""
    raw = RawDelays(same_clock=same_clock, hint_ns=OFFSET_NS)
    start_ns = number * 1_000_000_000
    raw.note_request(start_ns, start_ns - OFFSET_NS + 700_000)
    for at in range(number % 5 + 3):
        arrival_ns = start_ns + (at + 1) * 10_000_000
        raw.chunk(arrival_ns, arrival_ns - OFFSET_NS - 2_000_000 - 1_000 * number)
        raw.coalesced_chunk(arrival_ns - 900_000, arrival_ns, arrival_ns - OFFSET_NS - 3_000_000)
    return raw


def plain(value: Any) -> Any:
    """All that an object holds, in values that compare: every field, whatever its class says of equality."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if each != 0}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(value)
    names = fields_of(type(value)) if type(value).__module__.startswith("streamgauge.") else []
    if not names or isinstance(value, Outcome):
        return value
    if hasattr(value, "_flush"):
        value._flush()
    return {name: plain(getattr(value, name)) for name in names}
