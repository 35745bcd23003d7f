"""What a demo is to do, as its options say."""

import os
from dataclasses import dataclass
from pathlib import Path

from streamgauge.runner.ports import Ports


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo."""

    users: int
    spawn_rate: float
    run_time_s: int
    processes: int
    locustfile: Path
    ports: Ports
    result_dir: Path

    @property
    def web(self) -> bool:
        """Whether Locust has its web UI."""
        return self.ports.web is not None

    def log(self, process: str) -> Path:
        """Where the output of a process goes until its run has a directory."""
        return self.result_dir / f"demo-{os.getpid()}-{process}.log"
