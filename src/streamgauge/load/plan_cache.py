"""Keeps the plans of calls, since most users make the same call again and again, and many make the same ones.

To plan a stream costs as much as to read a short one. A call counts as the same if its arguments are equal and none of
them can have changed since: texts, numbers, functions, and flat mappings and lists of those. What an open file or an
object of the scenario stands for is read again in each call. Functions and methods that a task makes for one stream
have a plan of that stream alone, and so have large bodies: no other call is equal, and kept plans stay until the end.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from operator import is_
from types import FunctionType, MethodType, NoneType
from typing import Any

from locust import User

from streamgauge.client.http.statuses import Statuses
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.wire.rules import Rules

#: How many plans are kept for users of the same settings; a scenario has few calls, unless their URLs differ.
MOST_KEPT = 64
#: For how many settings; the users of a run have the same, unless a scenario gives each its own.
MOST_SETTINGS = 64
#: A call with more bytes of text in all, or more members in one argument, is planned each time.
MOST_TEXT, MOST_MEMBERS = 16_384, 1_000
_TEXTS = frozenset({str, bytes})
_NUMBERS = frozenset({int, float})
_FIXED = frozenset({bool, NoneType, Limits, Rules, Statuses})
_FLAGS = frozenset({bool, NoneType})
#: What is the same if it is the same object.
_UNCHANGING = _TEXTS | _NUMBERS | _FIXED | {FunctionType, MethodType}
Plans = dict[tuple[object, ...], StreamPlan]


class PlanCache:
    """The plans of the calls of one user: ``shared`` with users of equal settings, and those with methods of its own.

    A method is equal only to the same one of the same user, so many users would displace each other's plans.
    """

    __slots__ = ("_last_call", "_last_plan", "_own", "_shared")

    def __init__(self, shared: Plans | None = None) -> None:
        self._shared: Plans = {} if shared is None else shared
        self._own: Plans = {}
        #: The last call whose arguments nothing can change, and its plan.
        self._last_call: tuple[Any, ...] = ()
        self._last_plan: StreamPlan | None = None

    def of(self, call: tuple[Any, ...], make: Callable[..., StreamPlan]) -> StreamPlan:
        """Return the plan that ``make(*call)`` makes, or made for the same call before. Raises what ``make`` raises."""
        last = self._last_call
        if self._last_plan is not None and len(call) == len(last) and all(map(is_, call, last)):
            return self._last_plan
        key = key_of(call)
        if key is None:
            return make(*call)
        plans = self._own if key[0] else self._shared
        plan = plans.get(key)
        if plan is None:
            plan = make(*call)
            if len(plans) >= MOST_KEPT:
                plans.clear()
            plans[key] = plan
        if all(type(argument) in _UNCHANGING for argument in call):
            self._last_call, self._last_plan = call, plan
        return plan


_shared: dict[tuple[object, ...], Plans] = {}


def shared_plans(*settings: Mapping[str, Any] | Hashable) -> PlanCache:
    """Return a cache for a user of these settings; it shares plans unless others cannot be told to be equal."""
    key = tuple(tuple(each.items()) if isinstance(each, Mapping) else each for each in settings)
    try:
        found = _shared.get(key)
    except TypeError:
        return PlanCache()
    if found is None:
        found = {}
        if len(_shared) < MOST_SETTINGS:
            _shared[key] = found
    return PlanCache(found)


def key_of(call: tuple[Any, ...]) -> tuple[object, ...] | None:
    """Return what is equal only for calls that are the same; None if that cannot be told, or the plan is not kept.

    It begins with whether the call has a method of its user. Numbers and collections follow their type, since 1, 1.0
    and True are equal, but not as texts; a collection has its length too.
    """
    key: list[object] = [False]
    size = 0
    for argument in call:
        kind = type(argument)
        if kind in _FIXED:
            key.append(argument)
        elif kind in _TEXTS:
            size += len(argument)
            key.append(argument)
        elif kind in _NUMBERS:
            if kind is float and not argument:  # 0.0 and -0.0 are equal, but not as texts
                return None
            key += (kind, argument)
        elif kind is dict or kind is list or kind is tuple:
            key += (kind, len(argument))
            length = _add_members(key, argument.items() if kind is dict else argument) if argument else 0
            if length is None:
                return None
            size += length
        elif kind is FunctionType and _is_lasting(argument):
            key.append(argument)
        elif kind is MethodType and isinstance(argument.__self__, User):
            key[0] = True
            key.append(argument)
        else:
            return None
    return tuple(key) if size <= MOST_TEXT else None


def _add_members(key: list[object], members: Collection[Any]) -> int | None:
    """Add the members of an argument to ``key``; return the length of their texts, or None if they may change."""
    if len(members) > MOST_MEMBERS:
        return None
    size = 0
    for each in members:
        parts = (each,)
        if type(each) is tuple:
            parts = each
            key += (tuple, len(each))
        for part in parts:
            kind = type(part)
            if kind in _TEXTS:
                size += len(part)
            elif kind in _NUMBERS:
                if kind is float and not part:
                    return None
                key.append(kind)
            elif kind not in _FLAGS:
                return None
            key.append(part)
    return size


def _is_lasting(function: Any) -> bool:
    """Whether a function is the same one in each call: it was not made inside another, as for one stream."""
    return function.__closure__ is None and "<locals>" not in function.__qualname__
