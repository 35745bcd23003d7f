"""Where the start of a run ends: the marginal standard error rule (MSER) on values whose outliers are cut."""

from collections.abc import Sequence
from statistics import median

#: Values further than so many deviations from the level count as this far: one pause must not look like a start.
_CUT_AT = 4.0
_OF_A_DEVIATION = 1.4826
#: Values are logarithms of medians, which are known to about 1 %. Most of a regular service are the same: a deviation
#: of 0 would cut every other value down to the level, and no start would be seen.
_LEAST_DEVIATION = 0.01


def truncation(values: Sequence[float], most: int) -> int:
    """Return how many of the first values, at most ``most``, belong to the start.

    MSER leaves out as many values as make the standard error of the mean of the others smallest: White, "An effective
    truncation heuristic for bias reduction in simulation output", Simulation 69 (1997). Level and deviation, for
    cutting outliers, are those of the values that no start can contain.
    """
    late = values[most:]
    level = median(late)
    deviation = max(_LEAST_DEVIATION, _OF_A_DEVIATION * median(abs(value - level) for value in late))
    low, high = level - _CUT_AT * deviation, level + _CUT_AT * deviation
    n = len(values)
    best, best_error, total, squares = 0, float("inf"), 0.0, 0.0
    for left_out in range(n - 1, -1, -1):
        value = min(max(values[left_out], low), high) - level
        total, squares, kept = total + value, squares + value * value, n - left_out
        if left_out <= most:
            error = (squares - total * total / kept) / (kept * kept)
            if error <= best_error:
                best, best_error = left_out, error
    return best
