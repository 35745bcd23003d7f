"""When a stream's chunks are due: seconds from its start, one number a chunk, the same again for the same seed."""

import math
import random
from collections.abc import Iterator
from itertools import count, repeat


def beats(interval_s: float, jitter: float = 0.0, seed: int | None = None) -> Iterator[float]:
    """A fixed interval, kept against the stream's start: a chunk that was late does not delay the next ones.

    With ``jitter``, 0 to 1, each chunk but the first comes later than its beat by up to that share of the interval:
    never before the chunk ahead of it, and without drift. Without a ``seed`` each stream has its own.
    """
    if not interval_s:
        return repeat(0.0)
    if not jitter:
        return (number * interval_s for number in count())
    return _jittered(interval_s, jitter, random.Random(seed))


def _jittered(interval_s: float, jitter: float, chance: random.Random) -> Iterator[float]:
    yield 0.0
    for number in count(1):
        yield (number + jitter * chance.random()) * interval_s


def token_beats(median_s: float, sigma: float, seed: int | None = None) -> Iterator[float]:
    """Log-normal intervals, as the tokens of a language model have them: most are near the median, a few are long.

    The first chunk comes after one such interval. ``sigma`` is the deviation of the interval's logarithm: 0 has no
    spread, and of 0.5 the mean is 1.13 medians and one interval in a hundred longer than 3.2.
    """
    chance = random.Random(seed)
    due_s = 0.0
    while True:
        due_s += median_s * math.exp(sigma * chance.gauss(0.0, 1.0)) if sigma else median_s
        yield due_s
