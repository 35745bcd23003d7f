"""What a demo is to do, as its options say."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streamgauge.demo.ports import Ports


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


def default_locustfile() -> Path:
    """The mix that is installed with streamgauge, found without importing it, which would import Locust."""
    found = find_spec("loadtests")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "locustfile.py"
