"""The statuses that a scenario accepts: ``429``, ``2xx``, ``500-599``, several after commas, or numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from streamgauge.wire.digits import whole_number

_PART = re.compile(r"([1-5])xx|([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?")


class StatusError(ValueError):
    """Raised for a ``status`` that is not valid."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """A set of statuses, and how the scenario named it."""

    text: str
    numbers: frozenset[int]

    def __contains__(self, status: int) -> bool:
        return status in self.numbers

    def __str__(self) -> str:
        return self.text


#: How scenarios name statuses: their text, a number, or several numbers and texts.
Named = str | int | Iterable[int | str] | Statuses


def read_statuses(named: Named | None) -> Statuses | None:
    """Parse acceptable statuses; None leaves them to the format. Raises StatusError."""
    if named is None or isinstance(named, Statuses):
        return named
    each = [named] if isinstance(named, str | int) else list(named)
    parts = [part.strip(" \t") for one in each for part in str(one).split(",")]
    numbers: set[int] = set()
    for part in parts or [""]:
        match = _PART.fullmatch(part)
        if match is None or (match[3] and match[3] < match[2]):
            raise StatusError(f"expected statuses such as 429, 2xx, 500-599 or 2xx,429, got {named!r}")
        first = int(match[1]) * 100 if match[1] else int(match[2])
        last = first + 99 if match[1] else int(match[3] or first)
        numbers.update(range(first, last + 1))
    return Statuses(_text_of(parts), frozenset(numbers))


def _text_of(parts: list[str]) -> str:
    """Return how messages name the statuses: a long list as the range that it is, if it is one."""
    if len(parts) > 3 and all(whole_number(part) is not None for part in parts):
        numbers = sorted(map(int, parts))
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return f"{numbers[0]}-{numbers[-1]}"
    return ",".join(parts)


#: The statuses of a response that opens a stream, 101 by an upgrade.
ANY_SUCCESS = frozenset({101, *range(200, 300)})
