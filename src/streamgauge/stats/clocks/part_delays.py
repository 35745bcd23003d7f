"""The chunk delays of a part of a run, aligned by the clocks of the whole run: a part alone knows too little."""

from collections.abc import Mapping

from streamgauge.stats.clocks.alignment import ChunkDelays, DelayPart, HasDelays, RunDelays, by_name, joined

Key = tuple[str, str]
#: A part keeps the delays of so many names times pairs of clocks; of more it keeps none.
MOST_CELLS = 80


class PartDelays:
    """The delays of some seconds of a run whose delays ``whole`` has."""

    def __init__(self, whole: RunDelays) -> None:
        self._whole = whole
        #: By process and server clock, then by name and protocol.
        self.parts: dict[tuple[str, str], dict[Key, DelayPart]] = {}
        #: Whether this part still has its delays.
        self.kept = True

    def add(
        self,
        process: str,
        all_stats: Mapping[Key, HasDelays],
        wall_offset_ns: int,  # noqa: ARG002 - the whole run knows it
        *,
        stepped: bool,
    ) -> None:
        """Add one second of ``process``, which the whole run has got just before."""
        for key, stats in all_stats.items():
            for clock, raw in stats.delays.items():
                if stepped and raw.same_clock:
                    continue
                if (part := self._whole.pair(process, clock).part_of(raw)) is not None:
                    self._add((process, clock), key, part)

    def _add(self, pair: tuple[str, str], key: Key, part: DelayPart) -> None:
        if not self.kept:
            return
        parts = self.parts.setdefault(pair, {})
        known = parts.get(key)
        parts[key] = part if known is None else joined(known, part, self._whole.pair(*pair).line())
        if known is None and sum(map(len, self.parts.values())) > MOST_CELLS:
            self._drop()

    def _drop(self) -> None:
        self.parts.clear()
        self.kept = False

    def merge(self, other: "PartDelays") -> None:
        """Add the delays of another part of the same run; without those of either there are none."""
        if not other.kept:
            self._drop()
        for pair, parts in other.parts.items():
            for key, part in parts.items():
                self._add(pair, key, part)

    def results(self) -> dict[Key, ChunkDelays]:
        """Return the delays by name and protocol, by all that the whole run knows of its clocks."""
        return by_name(self._whole.pair(*pair).aligned(parts) for pair, parts in self._listed())

    def _listed(self) -> list[tuple[tuple[str, str], dict[Key, list[DelayPart]]]]:
        return [(pair, {key: [part] for key, part in parts.items()}) for pair, parts in self.parts.items()]
