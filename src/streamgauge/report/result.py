"""The shape of ``result.json``, schema ``streamgauge.result/1``, and its reading and writing.

Durations are seconds. A metric with no value in the run has ``count`` 0 and None for each statistic.
"""

import json
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from streamgauge.report.calibration import Calibration
from streamgauge.verdict.trust import Trust

FILE_NAME = "result.json"
SCHEMA = "streamgauge.result/1"
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class MetricSummary(TypedDict):
    """One distribution of durations, in seconds. ``hdr`` is HdrHistogram's V2 encoding (base64), in microseconds."""

    count: int
    mean: float | None
    min: float | None
    max: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    error: float
    """The largest relative error of a percentile that comes from the histogram's buckets."""
    uncertain: dict[str, tuple[float, float]]
    """For each percentile that is not exactly known, the least and the most it can be: chunks shared a read, or the
    generator waited for a CPU before it sent requests."""
    hdr: str


class ChunkDelayClock(TypedDict):
    """How the clocks of servers and load generators were brought together, over all pairs of them."""

    method: Literal["same_clock", "minimum_filter", "mixed"]
    """``same_clock``: one machine's clock stamped sends and arrivals; ``minimum_filter``: the smallest delays show the
    offset."""
    pairs: int
    """Load generator processes, times the server clocks that each of them met."""
    uncertainty_s: float | None
    """Each delay may be off by this much; None where the smallest delay is unknown, and delays are those beyond it."""
    offset_s: tuple[float, float]
    """Server clock minus the load generator's: the least and the most of all pairs."""
    drift_ppm: tuple[float, float]


class TokenRate(TypedDict):
    """Tokens per second of the streams of one name."""

    in_all: float | None
    """All tokens over the duration of the run."""
    p50: float | None
    """Half of the streams that did not fail were at least so fast, each over its whole duration."""
    p10: float | None
    """Nine in ten were."""
    p1: float | None
    """Ninety-nine in a hundred were."""


class NamedStreams(TypedDict):
    """All streams of one name and protocol.

    Each quantity that :class:`streamgauge.stats.stream_quantities.StreamQuantities` declares has its key here, and says
    there what it is, unless it is internal. Below are those that the reports' code names, and what results have beside
    them.
    """

    name: str
    protocol: str
    started: int
    outcomes: dict[str, int]
    time_to_first_chunk: MetricSummary
    """Of streams that did not fail."""
    chunk_interval: MetricSummary
    """Pooled over all streams."""
    chunk_delay: MetricSummary | None
    """Of the chunks that the server stamped; None where it stamped none."""
    chunk_delay_clock: NotRequired[ChunkDelayClock | None]
    duration: MetricSummary
    """Of streams that did not fail; censored ones left out."""
    chunks: int
    bytes: int
    stalls: int
    tokens: int
    time_per_output_token: MetricSummary | None
    """Of streams that did not fail, and of each choice where a stream has several; None where none had tokens."""
    tokens_per_second: NotRequired[TokenRate | None]
    """None where no stream had tokens."""
    reasons: dict[str, int]
    """Why streams failed: ``outcome: sentence`` and how often, the most frequent first."""


class Run(TypedDict):
    """What ran."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    duration_s: float
    counted_s: NotRequired[float]
    """Since the start or, where the statistics were reset, since then: what was counted belongs to this time."""
    host: str
    locustfile: str
    users: int
    spawn_rate: float
    workers: int
    load_model: Literal["closed", "open"]
    interrupted: bool
    versions: dict[str, str]
    warnings: NotRequired[list[str]]
    """Sentences for the user about the run, such as that an option was used by no scenario."""


class Verdict(TypedDict):
    """Whether the numbers can be trusted, and whether the run passed."""

    trust: Trust
    reasons: list[str]
    slo: list[dict[str, Any]]
    exit_code: int


class Generator(TypedDict):
    """How the load generator itself did.

    Each quantity that :class:`streamgauge.stats.generator_stats.GeneratorStats` declares has its key here, and says
    there what it is, unless it is internal.
    """

    timestamps: Literal["kernel", "read", "mixed"]
    lag: MetricSummary
    hub_lag: NotRequired[MetricSummary]
    longest_pause_s: NotRequired[float]
    cpu_taken: NotRequired[float]
    """Share of the time in which a process waited for a CPU or was stopped, over all processes."""
    cpu_max: float
    """Share of one core that the busiest process used at most, 0 to 1."""
    late_starts: int
    dropped_arrivals: int
    clock_steps: int
    refusal_pauses: NotRequired[int]
    refusal_pause_s: NotRequired[float]
    calibration: NotRequired[Calibration | None]
    """The last one of the machine that reports the run, where there is one."""


class PointFigures(TypedDict):
    """What streams did in one second of the run. Percentiles are None in a second without values.

    Every counter and distribution that is declared to be ``by_second`` has its key here.
    """

    started: int
    finished: int
    failed: int
    chunks: int
    bytes: int
    time_to_first_chunk: dict[str, float | None]
    """``p50`` and ``p99``."""
    chunk_interval: dict[str, float | None]
    uncertain: NotRequired[dict[str, dict[str, tuple[float, float]]]]
    """For each metric, the percentiles that coalesced reads leave undetermined, with the least and the most each can
    be."""


class NamedPoint(PointFigures):
    """One second of one name and protocol, or of all names that have no line of their own: ``other``, no protocol."""

    name: str
    protocol: str


class TimelinePoint(PointFigures):
    """One second of the run, over all names."""

    t_s: float
    active: int
    streams: NotRequired[list[NamedPoint]]
    """The same by name, of the names that did anything in this second. Results of older versions have no such part."""


class Result(TypedDict):
    """One run, as ``results/<run_id>/result.json`` holds it."""

    schema: str
    run: Run
    verdict: Verdict
    streams: list[NamedStreams]
    generator: Generator
    timeline: list[TimelinePoint]


class ResultError(ValueError):
    """A file is not a result that this version reads."""


def write_result(result: Result, directory: Path) -> Path:
    """Write ``result.json`` below ``directory``, whole or not at all, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE_NAME
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json_text(result))
    return unfinished.rename(path)


def json_text(result: Result) -> str:
    """What ``result.json`` holds: indented, but each second of the timeline on one line."""
    points = [json.dumps(point, separators=(",", ":"), allow_nan=False) for point in result["timeline"]]
    others = {key: value for key, value in result.items() if key != "timeline"}
    rest = json.dumps({**others, "timeline": []}, indent=1, allow_nan=False)
    return rest.removesuffix("[]\n}") + "[\n  " + ",\n  ".join(points) + "\n ]\n}\n"


def read_result(path: Path) -> Result:
    """Read a result from its file, or from the directory that holds ``result.json``.

    Raises ResultError if there is none, or it is of another schema.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        raise ResultError(f"{str(file)!r}: no such file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ResultError(f"{str(file)!r} cannot be read as JSON: {error}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise ResultError(f"{str(file)!r}: expected schema {SCHEMA!r}, got {schema!r}")
    result: Result = found
    return result
