"""Reads and writes the last calibration, and checks whether it belongs to this machine.

The file is ``$STREAMGAUGE_CALIBRATION`` if that is set, else ``streamgauge/calibration.json`` below
``$XDG_STATE_HOME``, else below ``~/.local/state``.
"""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from streamgauge.verdict.trust import Trust

SCHEMA = "streamgauge.calibration/1"
FILE_VARIABLE = "STREAMGAUGE_CALIBRATION"


class Figure(TypedDict):
    """One percentile in seconds: the client's, that of the source's log, and the client's minus the log's.

    ``least`` and ``most`` bound the log's value: the source reads its clock before and after a send, and may not have
    had a CPU in between.
    """

    client: float
    log: float
    difference: float
    least: float
    most: float


class Calibration(TypedDict):
    """The result of a calibration. Durations are in seconds."""

    schema: str
    at: str
    """ISO 8601, UTC."""
    age_s: NotRequired[float]
    """In a result: how old the calibration was when the run ended."""
    machine: dict[str, str]
    load: dict[str, float]
    """``users``, ``interval_s``, ``chunk_bytes``, ``run_time_s``, ``streams``, ``chunks``."""
    metrics: dict[str, dict[str, Figure]]
    """By metric and percentile."""
    floor: dict[str, float]
    """By metric: the largest absolute difference of its percentiles."""
    arrival_error: dict[str, float | None]
    """From the send of a stream's first chunk to its arrival at the client: ``p50``, ``p99``, ``max``."""
    asking: dict[str, float | None]
    """From the start of a stream until the source had its request: ``p50``, ``p99``, ``max``."""
    lag: dict[str, float | None]
    """Generator lag: ``p50``, ``p99``, ``max``."""
    cpu_max: float
    trust: Trust
    reasons: list[str]


def machine() -> dict[str, str]:
    """Return the facts that identify this machine: host name, CPU, kernel and Python."""
    return {
        "host": platform.node(),
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def kept_at() -> Path:
    """Return the path of the file that holds the last calibration."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named)
    state = Path(os.environ.get("XDG_STATE_HOME") or "")
    return (state if state.is_absolute() else Path.home() / ".local/state") / "streamgauge" / "calibration.json"


def write_calibration(calibration: Calibration, path: Path) -> Path:
    """Write ``calibration`` to ``path``, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(json.dumps(calibration, indent=1, allow_nan=False) + "\n")
        return unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _is_complete(found: Mapping[str, Any]) -> bool:
    """Whether ``found`` has all that results say about a calibration."""
    try:
        load, floor = found["load"], found["floor"]
        floors = [floor[metric] >= 0 for metric in ("time_to_first_chunk", "chunk_interval")]
        return all(floors) and load["users"] >= 1 and load["interval_s"] > 0 and isinstance(found["trust"], str)
    except (LookupError, TypeError):
        return False


def last_calibration(now: datetime | None = None) -> Calibration | None:
    """Return the last calibration of this machine, with its age; None if there is none."""
    try:
        found: Any = json.loads(kept_at().read_text())
        json.dumps(found, allow_nan=False)  # raises ValueError if no result could hold it
    except (OSError, ValueError, RuntimeError):  # RuntimeError: the user has no home directory
        return None
    if not isinstance(found, Mapping) or found.get("schema") != SCHEMA or found.get("machine") != machine():
        return None
    if set(found) != set(Calibration.__annotations__) - {"age_s"} or not _is_complete(found):
        return None
    try:
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(found["at"])
    except (TypeError, ValueError):
        return None
    calibration: Calibration = {**found, "age_s": max(0.0, age.total_seconds())}  # type: ignore[typeddict-item]
    return calibration
