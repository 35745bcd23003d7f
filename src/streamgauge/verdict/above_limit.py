"""Writes values that exceed a limit, with as many digits as show it."""


def above(value: float, limit: float, decimals: int) -> str:
    """Write a value above its limit with as many decimals as show that."""
    while float(f"{value:.{decimals}f}") <= limit < value and decimals < 9:
        decimals += 1
    return f"{value:.{decimals}f}"


def percent_above(share: float, limit: float) -> str:
    """Write a share above its limit as a percentage."""
    return f"{above(share * 100, limit * 100, 1)}%"
