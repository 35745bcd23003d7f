"""Defines the schema of ``result.json``, ``streamgauge.result/1``; reads and writes it.

Durations are seconds. A metric without values in the run has ``count`` 0 and None for each statistic.
"""

import json
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from streamgauge.report.calibration import Calibration
from streamgauge.report.history import History
from streamgauge.report.parts_of_run import SteadyFacts, WarmUpFacts
from streamgauge.report.run_load import Arrivals
from streamgauge.report.shape_facts import RunShape
from streamgauge.report.stream_facts import ChunkDelayClock, TokenRate
from streamgauge.verdict.slo.judgement import JudgedRule
from streamgauge.verdict.trust import Trust

FILE_NAME = "result.json"
SCHEMA = "streamgauge.result/1"


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
    """The largest relative error of a percentile, due to the histogram's buckets."""
    uncertain: dict[str, tuple[float, float]]
    """For each statistic (mean, extremes, percentiles) that is not exactly known, its smallest and largest possible
    value, between which it always lies."""
    samples_needed: NotRequired[dict[str, int]]
    """For each percentile that rests on too few values, how many more it needs."""
    hdr: str


#: The measures by which streams are slow, as keys of ``NamedStreams.slowest``.
SLOW_BY = ("time_to_first_chunk", "chunk_interval")


class SlowStream(TypedDict):
    """One of the slowest streams of a name; durations in seconds."""

    t_s: int
    """The second of the run in which it ended."""
    time_to_first_chunk: float | None
    longest_interval: float | None
    duration: float
    chunks: int
    outcome: str


class NamedStreams(TypedDict):
    """All streams of one name and protocol.

    Each quantity of :class:`streamgauge.stats.stream_quantities.StreamQuantities` has its key here, unless it is
    internal; that class says what it is. The fields below are those that the reports' code names, and those that are
    not quantities.
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
    """Of the chunks that the server stamped; None if it stamped none."""
    chunk_delay_clock: NotRequired[ChunkDelayClock | None]
    duration: MetricSummary
    """Of streams that did not fail, without censored ones."""
    chunks: int
    bytes: int
    stalls: int
    prompt_tokens: NotRequired[int]
    tokens: int
    """Output tokens."""
    time_per_output_token: MetricSummary | None
    """Of streams that did not fail, by choice if a stream has several; None if no stream had tokens."""
    tokens_per_second: NotRequired[TokenRate | None]
    """None if no stream had tokens."""
    reasons: dict[str, int]
    slowest: NotRequired[dict[str, list[SlowStream]]]
    """By each of ``SLOW_BY``, the slowest first. Absent in results of older versions."""
    """Why streams failed: ``outcome: sentence`` and its count, the most frequent first."""


class PartOfRun(TypedDict):
    """The streams of a part of the run, from ``from_s`` to ``to_s`` seconds after its start; None: to its end."""

    from_s: int
    to_s: int | None
    streams: list[NamedStreams]
    """Each thing counts in the second in which it happened. ``chunk_delay`` is None if the part is not the whole."""


class Run(TypedDict):
    """The run and its settings."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    duration_s: float
    counted_s: NotRequired[float]
    """Duration of counting: since the start, the last reset of the statistics, or the end of the warm-up."""
    host: str
    locustfile: str
    users: int
    spawn_rate: float
    workers: int
    load_model: Literal["closed", "open"]
    arrivals: NotRequired[Arrivals]
    """Only of an open model."""
    interrupted: bool
    shape: NotRequired[RunShape]
    """Absent if the load followed no shape."""
    versions: dict[str, str]
    command: NotRequired[str]
    """What repeats the run; passwords and tokens are left out."""
    names_left_out: NotRequired[int]
    """How many names are counted together, as ``(other names)``; absent if each has its own figures."""
    slo_source: NotRequired[str]
    """Where the SLO rules were given; absent if there were none."""
    warnings: NotRequired[list[str]]
    """Sentences for the user about the run, such as that no scenario used an option."""


class Verdict(TypedDict):
    """Whether the numbers can be trusted, and whether the run passed."""

    trust: Trust
    reasons: list[str]
    slo: list[JudgedRule]
    """The SLO rules, in the order in which they were given; empty if there were none."""
    exit_code: int


class Generator(TypedDict):
    """Figures of the load generator itself.

    Each quantity of :class:`streamgauge.stats.generator_stats.GeneratorStats` has its key here, unless it is internal;
    that class says what it is.
    """

    timestamps: Literal["kernel", "read", "mixed"]
    lag: MetricSummary
    hub_lag: NotRequired[MetricSummary]
    longest_pause_s: NotRequired[float]
    cpu_taken: NotRequired[float]
    """Share of the time in which a process waited for a CPU or was stopped, over all processes."""
    cpu_max: float
    """Largest share of one core that the busiest process used, 0 to 1."""
    clock_steps: int
    scheduled_arrivals: NotRequired[int]
    late_starts: int
    capped_starts: NotRequired[int]
    dropped_arrivals: int
    lost_arrivals: NotRequired[int]
    cut_by_shape: NotRequired[int]
    refusal_pauses: NotRequired[int]
    refusal_pause_s: NotRequired[float]
    calibration: NotRequired[Calibration | None]
    """The last calibration of the machine that reports the run, if there is one."""


class PointFigures(TypedDict):
    """The streams' figures of one second of the run. Percentiles are None in a second without values.

    Every counter and distribution that is declared ``by_second`` has its key here.
    """

    started: int
    finished: int
    failed: int
    chunks: int
    bytes: int
    time_to_first_chunk: dict[str, float | None]
    """``p50`` and ``p99``."""
    chunk_interval: dict[str, float | None]
    tokens: NotRequired[int]
    """Of the streams that ended in this second."""
    time_per_output_token: NotRequired[dict[str, float | None]]
    """Of the same streams."""
    uncertain: NotRequired[dict[str, dict[str, tuple[float, float]]]]
    """For each metric, the percentiles that are not exactly known, with their smallest and largest possible value."""


class NamedPoint(PointFigures):
    """One second of one name and protocol, or of all other names: ``other`` without a protocol."""

    name: str
    protocol: str


class TimelinePoint(PointFigures):
    """One second of the run, over all names."""

    t_s: float
    active: int
    scheduled_arrivals: NotRequired[int]
    """Only in seconds of an open model in which something became of an arrival; so are the next two."""
    late_starts: NotRequired[int]
    dropped_arrivals: NotRequired[int]
    streams: NotRequired[list[NamedPoint]]
    """The same by name, for the names with streams in this second. Absent in results of older versions."""


class Result(TypedDict):
    """One run, as ``results/<run_id>/result.json`` holds it."""

    schema: str
    run: Run
    verdict: Verdict
    streams: list[NamedStreams]
    generator: Generator
    history: NotRequired[History]
    """Absent in results of older versions."""
    timeline: list[TimelinePoint]
    warm_up: NotRequired[WarmUpFacts]
    """Absent if no warm-up was asked for."""
    whole_run: NotRequired[PartOfRun]
    """The figures with the warm-up; absent if none is left out."""
    steady: NotRequired[SteadyFacts]
    """Absent in results of older versions and of a run that goes on."""
    steady_window: NotRequired[PartOfRun]
    """Absent if there is none."""


class ResultError(ValueError):
    """A file is not a result that this version can read."""


def write_result(result: Result, directory: Path) -> Path:
    """Write ``result.json`` below ``directory``, whole or not at all, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE_NAME
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json_text(result))
    return unfinished.rename(path)


def json_text(result: Result) -> str:
    """Return the text of ``result.json``: indented, with each second and each column of the history on one line."""
    lists: dict[str, tuple[list[Any], str]] = {"timeline": (list(result["timeline"]), " ")}
    marked: dict[str, Any] = {**result, "timeline": "timeline"}
    if history := result.get("history"):
        lists["columns"] = list(history["columns"]), "  "
        marked |= {"history": {**history, "columns": "columns"}}
    text = json.dumps(marked, indent=1, allow_nan=False)
    for key, (items, indent) in lists.items():
        before, _, after = text.rpartition(f'"{key}": "{key}"')
        lines = [json.dumps(item, separators=(",", ":"), allow_nan=False) for item in items]
        text = f'{before}"{key}": [\n{indent} ' + f",\n{indent} ".join(lines) + f"\n{indent}]{after}"
    return text + "\n"


def read_result(path: Path) -> Result:
    """Read a result from its file, or from the directory that holds ``result.json``.

    Raises ResultError if there is no such file, or its schema is another one.
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
