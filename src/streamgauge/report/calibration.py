"""The last calibration of a machine: its shape, where it is kept, and whether it is this machine's.

It is kept in ``$STREAMGAUGE_CALIBRATION`` where that names a file, else in ``streamgauge/calibration.json`` below
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
    """One percentile, in seconds: as the client has it, as the source's log has it, and the first minus the second.

    ``least`` and ``most`` are the log's too: a send lies between two looks at the clock, and between these the source
    may have been kept from running.
    """

    client: float
    log: float
    difference: float
    least: float
    most: float


class Calibration(TypedDict):
    """What a calibration found. Durations are seconds."""

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
    """By metric: the largest difference of its percentiles, either way."""
    arrival_error: dict[str, float | None]
    """Send of a stream's first chunk until its arrival as the client has it: ``p50``, ``p99``, ``max``."""
    asking: dict[str, float | None]
    """Start of a stream until the source had its request: ``p50``, ``p99``, ``max``."""
    lag: dict[str, float | None]
    """Of the generator: ``p50``, ``p99``, ``max``."""
    cpu_max: float
    trust: Trust
    reasons: list[str]


def machine() -> dict[str, str]:
    """What makes a calibration this machine's: host name, CPU, kernel and Python."""
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
    """The file that holds the last calibration."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named)
    state = Path(os.environ.get("XDG_STATE_HOME") or "")
    return (state if state.is_absolute() else Path.home() / ".local/state") / "streamgauge" / "calibration.json"


def write_calibration(calibration: Calibration, path: Path) -> Path:
    """Write it, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(json.dumps(calibration, indent=1, allow_nan=False) + "\n")
        return unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _can_be_recalled(found: Mapping[str, Any]) -> bool:
    """Whether what results say of a calibration is in ``found``."""
    try:
        load, floor = found["load"], found["floor"]
        floors = [floor[metric] >= 0 for metric in ("time_to_first_chunk", "chunk_interval")]
        return all(floors) and load["users"] >= 1 and load["interval_s"] > 0 and isinstance(found["trust"], str)
    except (LookupError, TypeError):
        return False


def last_calibration(now: datetime | None = None) -> Calibration | None:
    """The last calibration of this machine, with its age; None where there is none that is this machine's."""
    try:
        found: Any = json.loads(kept_at().read_text())
        json.dumps(found, allow_nan=False)  # as results will write it
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a user without a home
        return None
    if not isinstance(found, Mapping) or found.get("schema") != SCHEMA or found.get("machine") != machine():
        return None
    if set(found) != set(Calibration.__annotations__) - {"age_s"} or not _can_be_recalled(found):
        return None
    try:
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(found["at"])
    except (TypeError, ValueError):
        return None
    calibration: Calibration = {**found, "age_s": max(0.0, age.total_seconds())}  # type: ignore[typeddict-item]
    return calibration
