"""What the sequence numbers of streams came to, in words."""

from streamgauge.report.result import NamedStreams
from streamgauge.report.units import number


def sequence_words(streams: NamedStreams) -> str:
    """The counts of numbers that did not come in order, in a few words; empty where all did."""
    counts = {
        "lost": streams.get("lost", 0),
        "repeated": streams.get("repeated", 0),
        "out of order": streams.get("out_of_order", 0),
        "too far behind to tell whether late or repeated": streams.get("beyond_window", 0),
    }
    said = ", ".join(f"{number(times)} {what}" for what, times in counts.items() if times)
    return f"sequence numbers: {said}" if said else ""
