"""Reads and describes the arrivals that a user asks for, such as ``poisson:200/s``. Standard library only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from streamgauge.load.arrivals.arrival_times import ConstantRate, Rate, even, gamma, poisson, times_of
from streamgauge.load.arrivals.trace import read_trace

Kind = Literal["constant", "poisson", "gamma", "trace"]
EXPECTED = "expected 200/s, poisson:200/s, gamma:200/s,cv=2 or trace:FILE[,SCALE]"
#: What no load generator reaches, and the least that gives an arrival in a day.
HIGHEST_PER_S, LOWEST_PER_S = 1e6, 1e-5
#: The coefficients of variation of the gaps for which a gamma process can be computed.
LEAST_CV, MOST_CV = 0.01, 20.0
_NUMBER = r"\d{1,12}(?:\.\d{0,12})?(?:e[+-]?\d{1,2})?"
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|sec|min|m|h)", re.ASCII)
_PLAIN = re.compile(_NUMBER, re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class ArrivalSpec:
    """Which arrivals: the kind of process and its parameters."""

    kind: Kind
    per_s: float | None = None
    """The rate in streams per second; None if a shape gives it, and for a trace."""
    cv: float = 1.0
    """Coefficient of variation of the gaps of a gamma process."""
    trace: tuple[float, ...] = ()
    """The times of a trace, in seconds since its start."""

    def times(self, seed: int, rate: Rate | None = None) -> Iterator[float]:
        """Yield the time of each arrival, in seconds since the start. The ``rate`` of a shape replaces the own one."""
        if self.kind == "trace":
            return iter(self.trace)
        known = ConstantRate(self.per_s) if rate is None and self.per_s is not None else rate
        if known is None:
            raise ValueError(f"{self.kind}: no rate")
        return times_of(self._process(Random(seed)), known)

    def _process(self, random: Random) -> Iterator[float]:
        if self.kind == "poisson":
            return poisson(random)
        return gamma(random, self.cv) if self.kind == "gamma" else even()

    def peak(self, rate: Rate | None = None) -> float:
        """Return the highest rate in streams per second; for a trace that of its busiest ten seconds."""
        if self.kind == "trace":
            return _busiest(self.trace, 10.0) / 10.0
        return rate.peak if rate is not None else self.per_s or 0.0


def _busiest(times: tuple[float, ...], width_s: float) -> int:
    """Return the most times within ``width_s``."""
    most = first = 0
    for number, time_s in enumerate(times):
        while times[first] <= time_s - width_s:
            first += 1
        most = max(most, number - first + 1)
    return most


def read_arrivals(text: str) -> ArrivalSpec:
    """Read what a user writes. Raises ValueError that says what was expected."""
    kind, colon, rest = text.strip().partition(":")
    if not colon:
        kind, rest = (kind, "") if kind in _READERS else ("constant", kind)
    if kind not in _READERS or (colon and not rest.strip()):
        raise ValueError(f"{EXPECTED}, got {text!r}")
    try:
        return _READERS[kind](rest.strip())
    except ValueError as error:
        raise ValueError(f"{error}, got {text!r}") from None


def _constant(rest: str) -> ArrivalSpec:
    return ArrivalSpec("constant", _rate(rest))


def _poisson(rest: str) -> ArrivalSpec:
    return ArrivalSpec("poisson", _rate(rest))


def _gamma(rest: str) -> ArrivalSpec:
    parts = [part.strip() for part in rest.split(",")]
    cvs = [part for part in parts if part.startswith("cv")]
    rates = [part for part in parts if part not in cvs]
    if len(cvs) != 1 or len(rates) > 1:
        raise ValueError("expected a rate and the coefficient of variation of the gaps, as in gamma:200/s,cv=2")
    text = cvs[0].partition("=")[2].strip()
    cv = float(text) if _PLAIN.fullmatch(text) else 0.0
    if not LEAST_CV <= cv <= MOST_CV:
        raise ValueError(f"expected cv=2, from {LEAST_CV:g} to {MOST_CV:g}")
    return ArrivalSpec("gamma", _rate(rates[0] if rates else ""), cv)


def _trace(rest: str) -> ArrivalSpec:
    name, comma, text = rest.rpartition(",")
    if not (comma and _PLAIN.fullmatch(text.strip())):
        name, text = rest, "1"
    if not float(text) > 0 or not name:
        raise ValueError("expected a file and a scale above 0, as in trace:FILE,2 for twice as fast")
    return ArrivalSpec("trace", trace=read_trace(name, float(text)))


def _rate(text: str) -> float | None:
    if not text:
        return None
    found = _RATE.fullmatch(text)
    per_s = float(found[1]) / _SECONDS[found[2]] if found else 0.0
    if not LOWEST_PER_S <= per_s <= HIGHEST_PER_S:
        raise ValueError(f"expected a rate such as 200/s or 30/min, from {LOWEST_PER_S:g}/s to {HIGHEST_PER_S:,.0f}/s")
    return per_s


_READERS = {"constant": _constant, "poisson": _poisson, "gamma": _gamma, "trace": _trace}
