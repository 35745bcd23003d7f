"""The quantities of the streams of one name and protocol: each field declares one, and everything else derives from it.

A new counter needs its field here, its metric in the catalog if it is to be scraped, and the place that counts it.
"""

import collections
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.quantities import Counter, Distribution, quantities_of
from streamgauge.stats.reasons import Reasons
from streamgauge.stats.sizes import Sizes

_of_numbers = partial(Counter, of_record=True, topic="sequence numbers: ")
_by_second = partial(Distribution, by_second=True, charted=True)


@dataclass(slots=True, eq=False)
class StreamQuantities:
    """What is counted. Results hold it in the order of the fields."""

    started: Annotated[int, Counter(metric="stream_client_started_total", by_second=True)] = 0
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    time_to_first_chunk: Annotated[
        FirstChunkTimes,
        _by_second(metric="stream_client_time_to_first_chunk_seconds", title="Time to first chunk", heading="TTFC"),
    ] = field(default_factory=FirstChunkTimes)
    #: Pooled over all streams.
    chunk_interval: Annotated[
        BoundedTimes,
        _by_second(metric="stream_client_chunk_interval_seconds", title="Chunk interval", heading="interval"),
    ] = field(default_factory=BoundedTimes)
    #: Raw chunk delays by the server clock that stamped them. They are this process's alone.
    delays: Annotated[
        dict[str, RawDelays],
        Distribution(
            metric="stream_client_chunk_delay_seconds",
            title="Chunk delay",
            renamed="chunk_delay",
            optional=True,
            charted=True,
            aligned=True,
        ),
    ] = field(default_factory=dict)
    #: Of streams that completed or were aborted on purpose.
    duration: Annotated[Histogram, Distribution(metric="stream_client_duration_seconds", title="Duration")] = field(
        default_factory=Histogram
    )
    chunks: Annotated[int, Counter(metric="stream_client_chunks_total", heading="chunks", rank=4, by_second=True)] = 0
    bytes: Annotated[int, Counter(metric="stream_client_body_bytes_total", heading="body", rank=2, by_second=True)] = 0
    heartbeats: Annotated[
        int, Counter(meaning="What kept streams open and is no chunk, such as SSE comments.", of_record=True)
    ] = 0
    stalls: Annotated[int, Counter(metric="stream_client_stalls_total", heading="stalls", rank=3, alarming=True)] = 0
    coalesced: Annotated[
        int,
        Counter(
            metric="stream_client_coalesced_chunks_total",
            meaning="The share of chunks that shared a read with others. Of such a read only the last chunk's arrival "
            "is known; the others came at some moment since the read before, and are counted as that interval, never "
            "as zero.",
            heading="coa\N{SOFT HYPHEN}lesced",
            rank=1,
            share_of="chunks",
        ),
    ] = 0
    lost: Annotated[
        int,
        _of_numbers(
            meaning="Sequence numbers that did not come, where the scenario says that chunks have any.",
            remark="{number} lost",
        ),
    ] = 0
    repeated: Annotated[int, _of_numbers(meaning="Sequence numbers that came again.", remark="{number} repeated")] = 0
    out_of_order: Annotated[
        int, _of_numbers(meaning="Sequence numbers that came late.", remark="{number} out of order")
    ] = 0
    beyond_window: Annotated[
        int,
        _of_numbers(
            meaning="Chunks whose number is too far behind to tell whether they came late or again: as many of the "
            "lost ones may not be lost.",
            remark="{number} too far behind to tell whether late or repeated",
        ),
    ] = 0
    reconnects: Annotated[
        int,
        Counter(
            meaning="How many times streams that broke off were connected to again, where the scenario allows it.",
            of_record=True,
            topic="streams that broke off were connected to again ",
            remark="{times}",
        ),
    ] = 0
    tokens: Annotated[int, Counter(meaning="Tokens that language models generated.", of_record=True)] = 0
    #: Of streams that did not fail, if they are a language model's, and of each choice if a stream has several.
    time_per_output_token: Annotated[
        BoundedTimes,
        Distribution(meaning="Time per output token, after the first.", title="Time per output token", optional=True),
    ] = field(default_factory=BoundedTimes)
    #: The whole duration of each of these streams over its tokens: one over its tokens per second.
    duration_per_token: Annotated[
        Histogram, Distribution(meaning="Duration of a stream over the tokens that it brought.", internal=True)
    ] = field(default_factory=Histogram)
    chunk_sizes: Annotated[Sizes, Distribution(metric="stream_client_chunk_size_bytes", internal=True)] = field(
        default_factory=Sizes
    )
    reasons: Reasons = field(default_factory=Reasons)


#: All of them, in their order.
QUANTITIES = quantities_of(StreamQuantities)
COUNTERS = {each.field: each for each in QUANTITIES if isinstance(each, Counter)}
DISTRIBUTIONS = {each.key: each for each in QUANTITIES if isinstance(each, Distribution)}
#: The distributions of which the timeline has percentiles.
TIMES_BY_SECOND = tuple(each.field for each in DISTRIBUTIONS.values() if each.by_second)
