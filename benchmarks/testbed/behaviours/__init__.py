"""What a faulty source can do, and what each of it means. All that is at random comes from a seed.

How many events come first, how long they are, how they are cut and where exactly the fault lies is at random. All
streams are Server-Sent Events that should end with ``event: done``, unless it says otherwise here.

========================  ================  ============================================================================
behaviour                 means             what the source does
========================  ================  ============================================================================
good_chunked              completed         transfer chunks that do not follow the events
good_length               completed         a Content-Length, and as much
good_close                completed         all until a FIN, which is the end where nothing else says so
good_then_rst             completed         a whole body, and a reset behind it
good_coded                completed         gzip, deflate, br or zstd, flushed behind each event
good_lines                completed         NDJSON
good_line_ends            completed         CR, LF and CRLF in turn, comments, a BOM, ids
slow_drip                 completed         a byte or a few at a time
bad_utf8                  completed         bytes that are no UTF-8: the standard reads U+FFFD, and no error
extensions_and_trailers   completed         chunk extensions, trailer fields, interim responses before the head
missing_end               incomplete        a clean end of the body, and no ``event: done``
missing_end_before_fin    incomplete        the same, where a FIN is the end
length_too_small          incomplete        a Content-Length that leaves ``event: done`` out
fin_before_head           truncated         a FIN for an answer
fin_in_head               truncated         a FIN inside the head
fin_in_chunk              truncated         a FIN inside a transfer chunk
fin_between_chunks        truncated         a FIN where the next transfer chunk should begin, even behind the named end
rst_in_body               truncated         a reset inside the body
rst_before_fin            truncated         a reset where a FIN would have been the end
length_too_large          truncated         a Content-Length, less than that, and a FIN
coding_cut_off            truncated         coded data that end in the middle, in a body that is whole
event_error               in_band_error     ``event: error``
line_error                in_band_error     NDJSON with a line that is ``{"error": …}``
silent                    stalled           nothing at all
silent_body               stalled           a head, and nothing more
stalls                    stalled           some events, and nothing more
heartbeats_only           stalled           some events, and then comments alone
drips_no_event            stalled           some events, and then one that never ends
endless                   stalled           events, and no end within the total limit
bad_chunk_size            protocol_error    a transfer chunk's size that is no number
bad_chunk_end             protocol_error    something else than CRLF behind a transfer chunk
over_long_size_line       protocol_error    a chunk extension without end
over_long_header          protocol_error    a field of more than 64 KiB
bad_header                protocol_error    a field without a colon
bad_status_line           protocol_error    something that is no HTTP
two_lengths               protocol_error    two Content-Lengths that differ
over_long_event           protocol_error    an event longer than the limit
coding_broken             protocol_error    coded data with bytes that cannot be
status                    http_error        a status from 400 on
another_type              http_error        a page instead of events
hang_up                   aborted           events, on which the client hangs up
========================  ================  ============================================================================
"""

import random
from collections.abc import Callable

from benchmarks.testbed.behaviours import at_fault, cut_short, forbidden, good, silent
from benchmarks.testbed.fault_parts import Step

Build = Callable[[random.Random], list[Step]]


def meanings() -> dict[str, str]:
    """What each behaviour means, by the table above."""
    assert __doc__ is not None
    rows = [line.split()[:2] for line in __doc__.split("\n") if line[:1].isalpha() and line.count("  ") > 1]
    return {name: outcome for name, outcome in rows if name != "behaviour"}


_BUILDS: dict[str, Build] = {
    name: build
    for room in (good, cut_short, at_fault, silent, forbidden)
    for name, build in vars(room).items()
    if name in meanings()
}


def script_of(name: str, seed: int) -> list[Step]:
    """What the source does. Raises KeyError."""
    return _BUILDS[name](random.Random(f"{name} {seed}"))
