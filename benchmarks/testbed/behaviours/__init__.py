"""The behaviours of a faulty source, and the outcome that each should get.

A seed determines everything random: the number of events before the fault, their lengths, how they are cut, and where
exactly the fault is. Unless the table says otherwise, streams are Server-Sent Events that should end with
``event: done``.

========================  ================  ============================================================================
behaviour                 means             what the source does
========================  ================  ============================================================================
good_chunked              completed         transfer chunks that do not follow the events
good_length               completed         a Content-Length, and a body of that length
good_close                completed         a body that ends with a FIN, without another framing
good_then_rst             completed         a whole body, followed by a reset
good_coded                completed         gzip, deflate, br or zstd, flushed after each event
good_lines                completed         NDJSON
good_line_ends            completed         CR, LF and CRLF in turn, comments, a BOM, ids
slow_drip                 completed         a byte or a few at a time
bad_utf8                  completed         invalid UTF-8, which the standard reads as U+FFFD, without an error
extensions_and_trailers   completed         chunk extensions, trailer fields, interim responses before the head
missing_end               incomplete        a clean end of the body without ``event: done``
missing_end_before_fin    incomplete        the same in a body that ends with a FIN
length_too_small          incomplete        a Content-Length that excludes ``event: done``
fin_before_head           truncated         a FIN instead of a response
fin_in_head               truncated         a FIN inside the head
fin_in_chunk              truncated         a FIN inside a transfer chunk
fin_between_chunks        truncated         a FIN instead of the next transfer chunk, even after the named end
rst_in_body               truncated         a reset inside the body
rst_before_fin            truncated         a reset instead of the FIN that ends the body
length_too_large          truncated         a body shorter than its Content-Length, and a FIN
coding_cut_off            truncated         incomplete coded data in a complete body
event_error               in_band_error     ``event: error``
line_error                in_band_error     NDJSON with a line that is ``{"error": …}``
silent                    stalled           nothing at all
silent_body               stalled           a head, and nothing more
stalls                    stalled           some events, and nothing more
heartbeats_only           stalled           some events, and then only comments
drips_no_event            stalled           some events, and then an event that never ends
endless                   stalled           events without an end within the total limit
bad_chunk_size            protocol_error    a transfer chunk's size that is not a number
bad_chunk_end             protocol_error    something other than CRLF after a transfer chunk
over_long_size_line       protocol_error    a chunk extension without end
over_long_header          protocol_error    a field of more than 64 KiB
bad_header                protocol_error    a field without a colon
bad_status_line           protocol_error    data that is not HTTP
two_lengths               protocol_error    two Content-Lengths that differ
over_long_event           protocol_error    an event longer than the limit
coding_broken             protocol_error    coded data with invalid bytes
status                    http_error        a status of 400 or above
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
    """Return the outcome of each behaviour in the table above."""
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
    """Return the source's steps. Raises KeyError."""
    return _BUILDS[name](random.Random(f"{name} {seed}"))
