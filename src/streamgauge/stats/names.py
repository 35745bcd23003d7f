"""Limits how many names have statistics of their own; the streams of all further names are counted under one."""

#: How many names have their own statistics: a table, a chart or a report of more is of no use.
MOST_NAMES = 100
#: The name under which the streams of further names are counted.
OTHER_NAMES = "(other names)"
#: How many of the further names are remembered, to count each of them once.
_MOST_REMEMBERED = 100_000


class Names:
    """The names of a run: the first ``MOST_NAMES`` are counted as themselves."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._others: set[str] = set()
        self._taken = 0

    def counted_as(self, name: str) -> str:
        """Return the name under which streams of ``name`` are counted."""
        if name in self._own or name == OTHER_NAMES:
            return name
        if len(self._own) < MOST_NAMES:
            self._own.add(name)
            return name
        if len(self._others) < _MOST_REMEMBERED:
            self._others.add(name)
        return OTHER_NAMES

    @property
    def left_out(self) -> int:
        """How many names have no statistics of their own; at least as many, if it is 100,000."""
        return len(self._others)

    def take_left_out(self) -> int:
        """Return how many of them are new since the last call."""
        new, self._taken = len(self._others) - self._taken, len(self._others)
        return new
