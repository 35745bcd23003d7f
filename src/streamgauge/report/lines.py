"""The names of a run as lines of charts: which there are, what each is called, and its colour in all charts."""

from collections.abc import Iterable, Sequence

from streamgauge.report.result import Result

#: Name and protocol. The line of the names that have none of their own has no protocol.
Key = tuple[str, str]

#: Readable on white and on near-black, and apart from each other for the colour-blind.
COLOURS = ("#3b82c4", "#e07b39", "#2e9e6b", "#c05fa6", "#a5832f", "#17a2b8", "#8d6fd1", "#d1495b")
_DASHES = ("solid", "dash", "dot", "dashdot")
_OTHERS_COLOUR = "#7d8590"


class Lines:
    """The lines of one run."""

    def __init__(self, result: Result) -> None:
        streams = sorted(result["streams"], key=lambda each: -each["chunks"])
        known = {(each["name"], each["protocol"]): None for each in streams}
        seen = {
            (each["name"], each["protocol"]): None for point in result["timeline"] for each in point.get("streams", ())
        }
        #: The lines of the timeline, the busiest first and that of the others last; none in older results.
        self.timeline: list[Key] = [key for key in known if key in seen] + [key for key in seen if key not in known]
        order = [*self.timeline, *(key for key in known if key not in seen)]
        self._position = {key: position for position, key in enumerate(key for key in order if key[1])}
        self._names = [name for name, _ in self._position]

    def label(self, key: Key) -> str:
        """The name, with its protocol where one name has several."""
        name, protocol = key
        if not protocol:
            return "other names"
        return name if self._names.count(name) == 1 else f"{name} ({protocol})"

    def colour(self, key: Key) -> str:
        """The line's colour."""
        position = self._position.get(key)
        return _OTHERS_COLOUR if position is None else COLOURS[position % len(COLOURS)]

    def dash(self, key: Key) -> str:
        """How the line is drawn: colours that come again are dashed."""
        return _DASHES[self._position.get(key, 0) // len(COLOURS) % len(_DASHES)]

    def ordered(self, keys: Iterable[Key]) -> Sequence[Key]:
        """``keys`` in the order of their colours."""
        return sorted(keys, key=lambda key: self._position.get(key, len(self._position)))
