"""Encodes and decodes histograms as HdrHistogram's V2 text (compressed, base64), which other tools read.

Values are microseconds. Both layouts are the same: our bucket *i* is HdrHistogram's count *i*, so nothing is rounded.
"""

import binascii
import zlib

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

from streamgauge.report.result import ResultError
from streamgauge.stats.histogram import HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, Histogram, bounds_us

_LAYOUT = (LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)
_UNREADABLE = (
    binascii.Error,
    zlib.error,
    HdrCookieException,
    HdrLengthException,
    HdrHistogramSettingsException,
    ValueError,
    IndexError,
)


def encode(histogram: Histogram) -> str:
    """Return the buckets of ``histogram`` as HdrHistogram's V2 compressed text."""
    encoded = HdrHistogram(*_LAYOUT)
    for index, times in histogram.counts.items():
        if times:
            encoded.record_value(bounds_us(index)[0], times)
    text: bytes = encoded.encode()
    return text.decode("ascii")


def decode(text: str) -> Histogram:
    """Return the histogram in ``text``: every bucket exact; sum, minimum and maximum to their bucket's width.

    Raises ResultError if ``text`` cannot be decoded, or has another range or precision than ours.
    """
    try:
        decoded = HdrHistogram.decode(text)
    except _UNREADABLE as error:
        reason = str(error) or type(error).__name__
        raise ResultError(f"expected an HdrHistogram in V2 form, got {text[:24]!r}: {reason}") from None
    layout = (decoded.lowest_trackable_value, decoded.highest_trackable_value, decoded.significant_figures)
    if layout != _LAYOUT:
        raise ResultError(f"expected an HdrHistogram of lowest, highest and digits {_LAYOUT}, got {layout}")
    return _from_counts({index: times for index, times in enumerate(decoded.counts) if times})


def _from_counts(counts: dict[int, int]) -> Histogram:
    sum_ns = sum(sum(bounds_us(index)) * 500 * times for index, times in counts.items())
    if not counts:
        return Histogram()
    return Histogram.of(counts, sum_ns, bounds_us(min(counts))[0] * 1000, bounds_us(max(counts))[1] * 1000)
