"""Reads a shape as users write it: ``NAME``, or ``NAME:PARAMETER=VALUE,…``. Standard library and ``durations`` only.

Every parameter has a default. Those of levels come from the whole level of the run (``--users``, or the rate of
arrivals), those of times from the time of the shape, which is by default that of the run (``--run-time``).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields

from streamgauge.durations import seconds_of
from streamgauge.load.shapes.shape import Ramp, Shape, Soak, Spike, Step, Wave

#: The level and the time of a run that says neither.
DEFAULT_LEVEL, DEFAULT_TIME_S = 10.0, 60.0
#: Largest values: what no load generator reaches, and what timers can hold.
HIGHEST, LONGEST_S = 1e6, 1e9
#: Most changes of level in a shape of steps.
MOST_STEPS = 100_000
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:e[+-]?\d{1,2})?", re.ASCII)

Given = Mapping[str, float]


def read_shape(text: str, *, level: float | None = None, time_s: float | None = None) -> Shape:
    """Read a shape. ``level`` and ``time_s`` are those of the run, if it has any.

    Raises ValueError that names the part that is wrong and says what is possible.
    """
    name, colon, listed = text.strip().partition(":")
    if name not in SHAPES:
        raise ValueError(f"expected {any_of(SHAPES)}, or one with parameters such as {EXAMPLE}, got {text!r}")
    kind = SHAPES[name]
    try:
        given = _parameters(kind, listed) if colon else {}
        return _MAKERS[kind](given, level or DEFAULT_LEVEL, given.get("time", time_s or None))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def parameters(kind: type[Shape]) -> dict[str, bool]:
    """Return the parameters of a kind of shapes by their names, and whether each is a duration.

    Every kind has a ``time``; that of steps says how long each step lasts.
    """
    return {each.metadata["name"]: bool(each.metadata["unit"]) for each in fields(kind)} | {"time": True}


def _parameters(kind: type[Shape], listed: str) -> dict[str, float]:
    known, given = parameters(kind), dict[str, float]()
    for part in listed.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise ValueError(f"expected PARAMETER=VALUE with {any_of(known)}, got {part!r}")
        if name not in known:
            raise ValueError(f"expected the parameter {any_of(known)}, got {name!r}")
        if name in given:
            raise ValueError(f"{name} is given twice; leave one out")
        given[name] = _duration(name, value) if known[name] else _level(name, value)
    return given


def _level(name: str, text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    if value > HIGHEST:
        raise ValueError(f"{name}: expected a number such as 100, from 0 to {HIGHEST:,.0f}, got {text!r}")
    return value


def _duration(name: str, text: str) -> float:
    try:
        value_s = seconds_of(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not 0 <= value_s <= LONGEST_S:
        raise ValueError(f"{name}: expected at most {LONGEST_S:g} s, got {text!r}")
    return value_s


def _ramp(given: Given, level: float, time_s: float | None) -> Ramp:
    return Ramp(given.get("from", 0.0), given.get("to", level), _positive("time", time_s, DEFAULT_TIME_S))


def _step(given: Given, level: float, time_s: float | None) -> Step:
    to = given.get("to", level)
    by = given.get("by", abs(to - given.get("from", 0.0)) / 10 or 1.0)
    if by <= 0:
        raise ValueError("by: expected more than 0, got 0")
    start = given.get("from", min(by, to))
    steps = abs(to - start) / by
    if steps > MOST_STEPS:
        raise ValueError(f"by: expected at most {MOST_STEPS:,} steps, got {steps:,.0f} of {by:g}; raise it")
    if "every" in given and "time" in given:
        raise ValueError("time and every are both given; leave one out")
    if time_s is not None:
        _positive("time", time_s, time_s)
    every_s = time_s / (math.ceil(steps * (1 - 1e-12)) + 1) if time_s else DEFAULT_TIME_S / 2
    return Step(start, by, _positive("every", given.get("every"), every_s), to)


def _spike(given: Given, level: float, time_s: float | None) -> Spike:
    whole_s = _positive("time", time_s, DEFAULT_TIME_S)
    peak = given.get("peak", level)
    at_s = given.get("at", whole_s / 3)
    for_s = _positive("for", given.get("for"), whole_s / 6)
    if time_s is None:
        whole_s = at_s + for_s + max(at_s, for_s)
    if at_s + for_s > whole_s:
        raise ValueError(
            f"at={at_s:g}s and for={for_s:g}s end after the time of {whole_s:g} s; raise time or --run-time"
        )
    return Spike(given.get("base", peak / 10), peak, at_s, for_s, whole_s)


def _soak(given: Given, level: float, time_s: float | None) -> Soak:
    rise_s = given.get("rise", min(DEFAULT_TIME_S, time_s / 10 if time_s else math.inf))
    if time_s is not None:
        _positive("time", time_s, time_s)
        if rise_s > time_s:
            raise ValueError(f"rise={rise_s:g}s ends after the time of {time_s:g} s; raise time or --run-time")
    return Soak(given.get("level", level), rise_s, time_s)


def _wave(given: Given, level: float, time_s: float | None) -> Wave:
    period_s = _positive("period", given.get("period"), time_s / 4 if time_s else DEFAULT_TIME_S)
    high = given.get("high", max(level, given.get("low", 0.0)))
    low = given.get("low", high / 5)
    if low > high:
        raise ValueError(f"low: expected at most the high of {high:g}, got {low:g}")
    return Wave(low, high, period_s, _positive("time", time_s, 4 * period_s))


def _positive(name: str, value_s: float | None, default_s: float) -> float:
    found_s = default_s if value_s is None else value_s
    if found_s <= 0:
        raise ValueError(f"{name}: expected more than 0 s, got {found_s:g} s")
    return found_s


def any_of(words: Iterable[str]) -> str:
    """Return the words as a choice: ``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}"


_MAKERS: dict[type[Shape], Callable[[Given, float, float | None], Shape]] = {
    Ramp: _ramp,
    Step: _step,
    Spike: _spike,
    Soak: _soak,
    Wave: _wave,
}
#: The kinds of shapes by their names.
SHAPES: dict[str, type[Shape]] = {kind.name: kind for kind in _MAKERS}
EXAMPLE = "ramp:to=100,time=60s"
