"""Follow the timeline of a run, ``timeline.ndjson``, while Locust writes it."""

import json
from pathlib import Path

from streamgauge.report.result import TimelinePoint


class Timeline:
    """The figures of a run so far."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self.latest: TimelinePoint | None = None
        self.started = self.finished = self.failed = 0

    def read(self) -> None:
        """Read the lines that were written since the last call; leave an incomplete line for the next call."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._add(json.loads(line))

    def _add(self, point: TimelinePoint) -> None:
        self.latest = point
        self.started += point["started"]
        self.finished += point["finished"]
        self.failed += point["failed"]
