"""The quantities of the streams of one name and protocol: each field declares one, and all else derives from it.

A new counter needs a field here, a metric in the catalog if it is to be scraped, and the code that counts it.
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
from streamgauge.stats.slowest import Slowest

_of_numbers = partial(Counter, of_record=True, topic="sequence numbers: ")
_of_tokens = partial(Counter, of_record=True, optional=True, whole=True)
_by_second = partial(Distribution, by_second=True, tabled=True, charted=True)


@dataclass(slots=True, eq=False)
class StreamQuantities:
    """The counted quantities. Results hold them in the order of the fields."""

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
    #: Raw chunk delays by the server clock that stamped them, of this process only.
    delays: Annotated[
        dict[str, RawDelays],
        Distribution(
            metric="stream_client_chunk_delay_seconds",
            title="Chunk delay",
            renamed="chunk_delay",
            optional=True,
            tabled=True,
            charted=True,
            aligned=True,
        ),
    ] = field(default_factory=dict)
    #: Only of streams that completed or were aborted on purpose.
    duration: Annotated[
        BoundedTimes,
        Distribution(
            metric="stream_client_duration_seconds", title="Duration", heading="duration", tabled=True, whole=True
        ),
    ] = field(default_factory=BoundedTimes)
    chunks: Annotated[
        int, Counter(metric="stream_client_chunks_total", heading="chunks", rank=4, by_second=True, rated=True)
    ] = 0
    bytes: Annotated[int, Counter(metric="stream_client_body_bytes_total", heading="body", rank=2, by_second=True)] = 0
    heartbeats: Annotated[
        int, Counter(meaning="Data that kept streams open and are not chunks, such as SSE comments.", of_record=True)
    ] = 0
    stalls: Annotated[int, Counter(metric="stream_client_stalls_total", heading="stalls", rank=3, alarming=True)] = 0
    coalesced: Annotated[
        int,
        Counter(
            metric="stream_client_coalesced_chunks_total",
            meaning="The share of chunks that shared a read with other chunks or with what followed them. Only the "
            "end of such a read has an exact arrival. What came before it arrived some time after the previous read, "
            "and counts with that range, never as zero.",
            heading="coa\N{SOFT HYPHEN}lesced",
            rank=1,
            share_of="chunks",
        ),
    ] = 0
    lost: Annotated[
        int,
        _of_numbers(
            meaning="Sequence numbers that did not come, if the scenario says where chunks have them.",
            remark="{number} lost",
        ),
    ] = 0
    repeated: Annotated[
        int, _of_numbers(meaning="Sequence numbers that came more than once.", remark="{number} repeated")
    ] = 0
    out_of_order: Annotated[
        int, _of_numbers(meaning="Sequence numbers that came late.", remark="{number} out of order")
    ] = 0
    beyond_window: Annotated[
        int,
        _of_numbers(
            meaning="Chunks whose number is too far behind to tell whether they are late or repeated; this many of the "
            "lost numbers may not be lost.",
            remark="{number} too far behind to tell whether late or repeated",
        ),
    ] = 0
    reconnects: Annotated[
        int,
        Counter(
            meaning="How many times streams that broke off reconnected, if the scenario allows it.",
            of_record=True,
            topic="streams that broke off reconnected ",
            remark="{times}",
        ),
    ] = 0
    without_chunks: Annotated[
        int,
        Counter(
            meaning="Streams that completed and brought no chunk.",
            of_record=True,
            remark="{number} completed without a chunk",
        ),
    ] = 0
    accepted_refusals: Annotated[
        int,
        Counter(
            meaning="Streams that the server refused with a status that the scenario accepts.",
            of_record=True,
            remark="{number} refused with a status that the scenario accepts",
        ),
    ] = 0
    slowed: Annotated[
        int,
        Counter(
            meaning="Streams that the client read slowly on purpose. Their times are those at which it read, and show "
            "its pace; the verdict does not judge them.",
            of_record=True,
            remark="{number} read slowly on purpose, so times show the reader's pace",
        ),
    ] = 0
    prompt_tokens: Annotated[
        int,
        _of_tokens(
            metric="stream_client_prompt_tokens_total",
            meaning="Prompt tokens of the streams that ended, if the server counts them.",
            heading="prompt tokens",
            rank=1,
        ),
    ] = 0
    tokens: Annotated[
        int,
        _of_tokens(
            metric="stream_client_output_tokens_total",
            meaning="Output tokens of the streams that ended.",
            heading="output tokens",
            rank=2,
            by_second=True,
            rated=True,
        ),
    ] = 0
    #: Only of token streams that did not fail; of several choices, the tokens of one.
    time_per_output_token: Annotated[
        BoundedTimes,
        _by_second(
            metric="stream_client_time_per_output_token_seconds",
            title="Time per output token",
            heading="per token",
            optional=True,
            whole=True,
        ),
    ] = field(default_factory=BoundedTimes)
    #: The duration of each of these streams divided by its tokens: the inverse of its tokens per second.
    duration_per_token: Annotated[
        Histogram, Distribution(meaning="Duration of a stream divided by its tokens.", internal=True)
    ] = field(default_factory=Histogram)
    chunk_sizes: Annotated[Sizes, Distribution(metric="stream_client_chunk_size_bytes", internal=True)] = field(
        default_factory=Sizes
    )
    reasons: Reasons = field(default_factory=Reasons)
    slowest: Slowest = field(default_factory=Slowest)


#: All quantities, in the order of the fields.
QUANTITIES = quantities_of(StreamQuantities)
COUNTERS = {each.field: each for each in QUANTITIES if isinstance(each, Counter)}
DISTRIBUTIONS = {each.key: each for each in QUANTITIES if isinstance(each, Distribution)}
#: The distributions whose percentiles the timeline shows.
TIMES_BY_SECOND = tuple(each.field for each in DISTRIBUTIONS.values() if each.by_second)
