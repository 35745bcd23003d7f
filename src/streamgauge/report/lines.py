"""Gives each name of a run its line in the charts: its label, and one colour in all charts."""

from collections.abc import Iterable, Sequence

from streamgauge.report.result import NamedStreams, Result

#: Name and protocol. The line for all other names has no protocol.
Key = tuple[str, str]

#: Readable on white and on near-black, and distinguishable for the colour-blind.
COLOURS = ("#3b82c4", "#e07b39", "#2e9e6b", "#c05fa6", "#a5832f", "#17a2b8", "#8d6fd1", "#d1495b")
_DASHES = ("solid", "dash", "dot", "dashdot")
_OTHERS_COLOUR = "#7d8590"


def name_of(streams: NamedStreams, result: Result) -> str:
    """Return the name of some streams of a result, with their protocol if that name has several."""
    several = sum(each["name"] == streams["name"] for each in result["streams"]) > 1
    return f"{streams['name']} ({streams['protocol']})" if several else streams["name"]


class Lines:
    """The lines of one run."""

    def __init__(self, result: Result) -> None:
        streams = sorted(result["streams"], key=lambda each: -each["chunks"])
        known = {(each["name"], each["protocol"]): None for each in streams}
        seen = {
            (each["name"], each["protocol"]): None for point in result["timeline"] for each in point.get("streams", ())
        }
        #: The lines of the timeline: the busiest first, other names last. Empty in older results.
        self.timeline: list[Key] = [key for key in known if key in seen] + [key for key in seen if key not in known]
        order = [*self.timeline, *(key for key in known if key not in seen)]
        self._position = {key: position for position, key in enumerate(key for key in order if key[1])}
        self._names = [name for name, _ in self._position]

    def label(self, key: Key) -> str:
        """Return the name, with its protocol if that name has several."""
        name, protocol = key
        if not protocol:
            return "other names"
        return name if self._names.count(name) == 1 else f"{name} ({protocol})"

    def colour(self, key: Key) -> str:
        """Return the line's colour."""
        position = self._position.get(key)
        return _OTHERS_COLOUR if position is None else COLOURS[position % len(COLOURS)]

    def dash(self, key: Key) -> str:
        """Return the line's dash style; lines that share a colour differ in it."""
        return _DASHES[self._position.get(key, 0) // len(COLOURS) % len(_DASHES)]

    def ordered(self, keys: Iterable[Key]) -> Sequence[Key]:
        """Return ``keys`` in the order of their colours."""
        return sorted(keys, key=lambda key: self._position.get(key, len(self._position)))
