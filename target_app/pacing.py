"""When a stream's chunks are due: seconds from its start, one number per chunk, repeatable by a seed."""

import math
import random
from collections.abc import Iterator
from itertools import count, repeat


def due_times(interval_s: float, jitter: float = 0.0, seed: int | None = None) -> Iterator[float]:
    """Space chunks by a fixed interval from the stream's start: a late chunk does not delay the next ones.

    With ``jitter``, 0 to 1, each chunk but the first is later by up to that share of the interval, without drift.
    Without a ``seed`` each stream has its own.
    """
    if not interval_s:
        return repeat(0.0)
    if not jitter:
        return (number * interval_s for number in count())
    return _jittered(interval_s, jitter, random.Random(seed))


def _jittered(interval_s: float, jitter: float, source: random.Random) -> Iterator[float]:
    yield 0.0
    for number in count(1):
        yield (number + jitter * source.random()) * interval_s


def token_due_times(median_s: float, sigma: float, seed: int | None = None) -> Iterator[float]:
    """Space chunks by log-normal intervals, like the tokens of a language model: most near the median, a few long.

    The first chunk is due after one interval. ``sigma`` is the standard deviation of the interval's logarithm. With 0.5
    the mean is 1.13 medians, and one interval in a hundred is longer than 3.2 medians.
    """
    source = random.Random(seed)
    due_s = 0.0
    while True:
        due_s += median_s * math.exp(sigma * source.gauss(0.0, 1.0)) if sigma else median_s
        yield due_s
