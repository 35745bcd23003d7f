"""Keeps the plans of calls, since most users make the same call again and again, and many make the same ones.

To plan a stream costs as much as to read a short one. A call counts as the same if its arguments are equal and none of
them can have changed since: texts, numbers, functions, and flat mappings and lists of those. What an open file or an
object of the scenario stands for is read again in each call.
"""

from collections.abc import Callable, Hashable, Mapping
from types import FunctionType, MethodType, NoneType
from typing import Any

from streamgauge.client.http.statuses import Statuses
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.wire.rules import Rules

#: How many plans are kept for users of the same settings; a scenario has few calls, unless their URLs differ.
MOST_KEPT = 64
#: For how many settings; the users of a run have the same, unless a scenario gives each its own.
MOST_SETTINGS = 64
_PLAIN = frozenset({str, bytes, int, float, bool, NoneType})
_FIXED = _PLAIN | {FunctionType, MethodType, Limits, Rules, Statuses}


class PlanCache:
    """The plans of the calls of users whose settings are equal."""

    __slots__ = ("_plans",)

    def __init__(self) -> None:
        self._plans: dict[tuple[object, ...], StreamPlan] = {}

    def of(self, call: tuple[Any, ...], make: Callable[..., StreamPlan]) -> StreamPlan:
        """Return the plan that ``make(*call)`` makes, or made for the same call before. Raises what ``make`` raises."""
        key = key_of(call)
        if key is None:
            return make(*call)
        plan = self._plans.get(key)
        if plan is None:
            plan = make(*call)
            if len(self._plans) >= MOST_KEPT:
                self._plans.clear()
            self._plans[key] = plan
        return plan


_shared: dict[tuple[object, ...], PlanCache] = {}


def shared_plans(*settings: Mapping[str, Any] | Hashable) -> PlanCache:
    """Return the cache for users of these settings, or one for a single user if others cannot be told to be equal."""
    key = tuple(tuple(each.items()) if isinstance(each, Mapping) else each for each in settings)
    try:
        found = _shared.get(key)
    except TypeError:
        return PlanCache()
    if found is None:
        found = PlanCache()
        if len(_shared) < MOST_SETTINGS:
            _shared[key] = found
    return found


def key_of(call: tuple[Any, ...]) -> tuple[object, ...] | None:
    """Return what is equal only for calls that are the same; None if that cannot be told from the arguments."""
    key: list[object] = []
    for argument in call:
        kind = type(argument)
        if kind in _FIXED:
            key.append(argument)
            continue
        if kind is dict:
            argument = tuple(argument.items())
        elif kind not in (list, tuple):
            return None
        for each in argument:
            for part in each if type(each) is tuple else (each,):
                if type(part) not in _PLAIN:
                    return None
                key += (type(part), part)  # 1, 1.0 and True are equal, but not as texts
        key += (kind, len(argument))
    return tuple(key)
