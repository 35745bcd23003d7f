"""Reads SLO rules: ``[NAME/]METRIC[.STAT] OP VALUE[UNIT]``.

1. The last run of ``<``, ``>``, ``=`` and ``!`` is the operator, so names may contain these characters.
2. What follows the last ``/`` before it is the metric with its statistic; what precedes that ``/`` is the name.
3. The kind of the statistic decides which units the value may have.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from streamgauge.verdict.slo.rule import OPERATORS, Rule
from streamgauge.verdict.slo.ruled_metrics import METRICS, Kind

#: Each rule is a label of exported metrics, so their number has a limit.
MOST_RULES = 100
_PARTS = re.compile(r"(.*[^\s<>=!])\s*([<>=!]+)\s*([^<>=!]*)", re.DOTALL)
_VALUE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d{1,2})?\s*(\S*)", re.ASCII | re.IGNORECASE)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

_ONE = Decimal(1)
_TIMES = {
    "ns": Decimal("1e-9"),
    "µs": Decimal("1e-6"),
    "us": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": _ONE,
    "min": Decimal(60),
    "h": Decimal(3600),
}
_SIZES = {
    "": _ONE,
    "B": _ONE,
    **{f"{prefix}B": Decimal(1000) ** power for power, prefix in enumerate(("k", "M", "G"), 1)},
    **{f"{prefix}iB": Decimal(1024) ** power for power, prefix in enumerate(("K", "M", "G"), 1)},
}
#: By kind, the units of values and what they are multiplied with.
UNITS: dict[Kind, Mapping[str, Decimal]] = {
    Kind.SECONDS: _TIMES,
    Kind.RATIO: {"": _ONE, "%": Decimal("0.01")},
    Kind.COUNT: {"": _ONE},
    Kind.PER_STREAM: {"": _ONE},
    Kind.RATE: {"": _ONE, "/s": _ONE},
    Kind.BYTES: _SIZES,
    Kind.BYTES_PER_STREAM: _SIZES,
    Kind.BYTES_RATE: {**_SIZES, **{f"{unit}/s": factor for unit, factor in _SIZES.items()}},
}
_EXAMPLES = {
    Kind.SECONDS: "a duration with its unit, such as 200ms or 1.5s",
    Kind.RATIO: "a share, such as 0.1% or 0.001",
    Kind.COUNT: "a number, such as 100",
    Kind.PER_STREAM: "a number, such as 0.01",
    Kind.RATE: "a number per second, such as 100 or 100/s",
    Kind.BYTES: "bytes, such as 500kB or 10MiB",
    Kind.BYTES_PER_STREAM: "bytes, such as 500kB or 10MiB",
    Kind.BYTES_RATE: "bytes per second, such as 500kB/s or 10MiB/s",
}


def read_rules(text: str) -> tuple[Rule, ...]:
    """Read one rule per line; skip empty lines and repeated rules. Raises ValueError that names the wrong rule."""
    lines = dict.fromkeys(line.strip() for line in _LINE_BREAK.split(text))
    rules = tuple(read_rule(line) for line in lines if line)
    if len(rules) > MOST_RULES:
        raise ValueError(f"expected at most {MOST_RULES} rules, got {len(rules)}")
    return rules


def read_rule(text: str) -> Rule:
    """Read one rule. Raises ValueError that names the rule, the wrong part, and the nearest right ones."""
    try:
        return _rule(text.strip())
    except ValueError as error:
        raise ValueError(f"{text.strip()!r}: {error}") from None


def _rule(text: str) -> Rule:
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError("expected a rule such as time_to_first_chunk.p99 < 200ms: METRIC.STAT, an operator, a value")
    subject, sign, value = found.groups()
    if sign not in OPERATORS:
        raise ValueError(f"expected an operator ({' '.join(OPERATORS)}), got {sign!r}")
    name, slash, figure = subject.rpartition("/")
    if slash and not name:
        raise ValueError(f"expected the name of streams before /{figure}, as in /events/{figure}")
    metric, stat = _figure(figure)
    return Rule(text, name if slash else None, metric, stat, sign, _limit(value, METRICS[metric].stats[stat]))


def _figure(text: str) -> tuple[str, str]:
    """Read ``METRIC[.STAT]``."""
    metric, dot, stat = text.partition(".")
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; {_nearest(metric, METRICS, 'metrics')}")
    known = METRICS[metric]
    if not dot and not known.default:
        raise ValueError(f"expected a statistic after {metric}, such as {metric}.p99: one of {', '.join(known.stats)}")
    stat = stat if dot else known.default
    if stat not in known.stats:
        raise ValueError(f"{metric} has no statistic {stat!r}; {_nearest(stat, known.stats, 'statistics')}")
    return metric, stat


def _nearest(word: str, known: Iterable[str], noun: str) -> str:
    """Name the nearest of ``known``; all of them if none is near or they are few."""
    every = list(known)
    near = difflib.get_close_matches(word, every, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    whole = "" if near and len(every) > 10 else f"the {noun} are {', '.join(every)}"
    return " ".join(filter(None, (hint, whole)))


def _limit(text: str, kind: Kind) -> float:
    """Read ``VALUE[UNIT]`` in the base unit of ``kind``."""
    found, units = _VALUE.fullmatch(text), UNITS[kind]
    if found is None:
        raise ValueError(f"expected {_EXAMPLES[kind]}, got {text!r}")
    digits, power, unit = found.groups()
    unit = unit.replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    if unit not in units:
        raise ValueError(
            f"expected {_EXAMPLES[kind]}, got {text!r} (units: {', '.join(filter(None, units)) or 'none'})"
        )
    limit = float(Decimal(digits + (power or "")) * units[unit])
    if kind is Kind.RATIO and limit > 1:
        raise ValueError(f"expected a share of at most 100% or 1, got {text!r}")
    return limit
