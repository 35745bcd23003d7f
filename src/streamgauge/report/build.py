"""Builds the content of ``result.json`` from a run's statistics."""

from collections.abc import Sequence
from typing import Any, Literal, cast

from streamgauge.report.calibration import Calibration
from streamgauge.report.chunk_delay import delay_clock
from streamgauge.report.history import History, HistoryColumn, NamedIntervals
from streamgauge.report.parts_of_run import SteadyFacts, WarmUpFacts
from streamgauge.report.result import (
    SCHEMA,
    SLOW_BY,
    Generator,
    NamedPoint,
    NamedStreams,
    PartOfRun,
    PointFigures,
    Result,
    Run,
    SlowStream,
    TimelinePoint,
    Verdict,
)
from streamgauge.report.summary import times_summary
from streamgauge.report.sums import counted_s, failures, totals
from streamgauge.report.tokens import token_rate
from streamgauge.stats import slowest as stats_slowest
from streamgauge.stats.clocks.alignment import ChunkDelays
from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES
from streamgauge.stats.process_stats import Key
from streamgauge.stats.quantities import Counter, Distribution
from streamgauge.stats.run_history import HEAT_BOUNDS_S, RunHistory
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.run_second import NameSecond, RunSecond, Sums, Times
from streamgauge.stats.run_stats import OTHER, RunStats
from streamgauge.stats.stream_quantities import QUANTITIES
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.late_arrivals import load_missed
from streamgauge.verdict.slo.judgement import judge
from streamgauge.verdict.slo.rule import Rule
from streamgauge.verdict.slo.run_figures import RunFigures
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.trust import verdict


def build_result(
    run: Run,
    run_stats: RunStats,
    calibration: Calibration | None = None,
    history: RunHistory | None = None,
    rules: Sequence[Rule] = (),
    measured_run: MeasuredRun | None = None,
    whole_s: float | None = None,
) -> Result:
    """Return the result of a run, judged by its SLO ``rules`` or, without rules, by its streams.

    ``calibration`` is the last calibration of this machine. ``measured_run`` has the figures that count, those after a
    warm-up; by default those of ``run_stats`` do. ``whole_s`` is for how long ``run_stats`` counted, which is less than
    the run lasted after a reset.
    """
    judged = run_stats if measured_run is None else measured_run.part
    trust, reasons = verdict(judged)
    slo = judge(rules, RunFigures.of_run(judged, counted_s(run)))
    broken = any(not rule["passed"] for rule in slo)
    failed = broken if slo else any(stats.failed for stats in judged.all_stats.values())
    failed = failed or load_missed(judged)
    exit_code = ExitStatus.UNTRUSTED if trust == "invalid" else ExitStatus.FAILED if failed else ExitStatus.PASSED
    result = Result(
        schema=SCHEMA,
        run=run,
        verdict=Verdict(trust=trust, reasons=reasons, slo=slo, exit_code=exit_code),
        streams=all_streams(judged, counted_s(run)),
        generator=_generator(judged, calibration),
        history=_history(history or RunHistory()),
        timeline=timeline(run_stats),
    )
    if measured_run is not None:
        add_parts(result, run_stats, measured_run, run["duration_s"] if whole_s is None else whole_s)
    return result


def all_streams(part: RunPart, counted_s: float) -> list[NamedStreams]:
    """Return the streams of a part of a run, which was counted for ``counted_s`` seconds, by name and protocol."""
    delays = part.chunk_delays()
    return [
        _streams(name, protocol, stats, delays.get((name, protocol)), counted_s)
        for (name, protocol), stats in sorted(part.all_stats.items())
        if stats.counted
    ]


def add_parts(result: Result, run_stats: RunStats, measured_run: MeasuredRun, whole_s: float) -> None:
    """Add the steady window and, beside figures without a warm-up, those of the whole run, which lasted ``whole_s``."""
    if measured_run.trimmed:
        whole = all_streams(run_stats, whole_s)
        since_s = round(result["run"]["duration_s"] - whole_s)  # after a reset the whole run is what came since
        result["whole_run"] = PartOfRun(from_s=since_s, to_s=None, streams=whole)
    if measured_run.warm_up is not None:
        failed = failures(totals(result.get("whole_run", {"streams": []})["streams"])["outcomes"])
        judged = totals(result["streams"])["outcomes"]
        left_out = {outcome: times - judged.get(outcome, 0) for outcome, times in failed.items()}
        result["warm_up"] = WarmUpFacts(
            asked=measured_run.warm_up.asked,
            until_s=measured_run.from_s if measured_run.trimmed else 0,
            failures={outcome: times for outcome, times in left_out.items() if times},
        )
    if (steady := measured_run.steady) is None:
        return
    result["steady"] = SteadyFacts(
        found=steady.window_s is not None,
        reason=steady.reason,
        series=list(steady.series),
        slice_s=steady.slice_s,
    )
    if steady.window_s is not None and measured_run.window is not None:
        from_s, to_s = steady.window_s
        streams = all_streams(measured_run.window, to_s - from_s)
        result["steady_window"] = PartOfRun(from_s=from_s, to_s=to_s, streams=streams)


def _streams(name: str, protocol: str, stats: StreamStats, delays: ChunkDelays | None, run_s: float) -> NamedStreams:
    found: dict[str, Any] = {
        "name": name,
        "protocol": protocol,
        "started": stats.started,
        "outcomes": {str(outcome): times for outcome, times in stats.outcomes.most_common()},
    }
    for each in QUANTITIES:
        if each.internal:
            continue
        if isinstance(each, Counter):
            found[each.key] = _count(each, stats)
        elif each.aligned:
            found[each.key] = None if delays is None else times_summary(delays.delays)
            found[f"{each.key}_clock"] = None if delays is None else delay_clock(delays)
        else:
            values = getattr(stats, each.field)
            found[each.key] = None if each.optional and values.empty else times_summary(values)
    found |= {"tokens_per_second": token_rate(stats, run_s), "reasons": dict(stats.reasons.most_common())}
    found["slowest"] = {name: [_slow_stream(each) for each in getattr(stats.slowest, name)] for name in SLOW_BY}
    return cast("NamedStreams", found)


def _slow_stream(slow: stats_slowest.SlowStream) -> SlowStream:
    return SlowStream(
        t_s=slow.t_s,
        time_to_first_chunk=slow.time_to_first_chunk_s,
        longest_interval=slow.max_chunk_interval_s,
        duration=slow.duration_s,
        chunks=slow.chunks,
        outcome=slow.outcome,
    )


def _count(counter: Counter, stats: StreamStats) -> float:
    value: int = getattr(stats, counter.field)
    if counter.share_of:
        whole = getattr(stats, counter.share_of)
        return value / whole if whole else 0.0
    return max(0, value)  # after a reset, streams started may be below 0 under ``auto`` until their protocol is known


def _generator(run_stats: RunPart, calibration: Calibration | None) -> Generator:
    stamps: Literal["kernel", "read", "mixed"] = "mixed"
    if run_stats.fallbacks <= run_stats.reads * 0.001:
        stamps = "kernel"
    elif run_stats.fallbacks == run_stats.reads:
        stamps = "read"
    found = {
        "timestamps": stamps,
        **_worst(run_stats),
        "cpu_taken": run_stats.taken_share,
        "cpu_max": run_stats.cpu_max,
        **_counts(run_stats),
        "calibration": calibration,
    }
    return cast("Generator", found)


def _worst(run_stats: RunPart) -> dict[str, Any]:
    """Return how late the generator read, and how long it stood still."""
    found: dict[str, Any] = {}
    for each in GENERATOR_QUANTITIES:
        value = getattr(run_stats, each.field)
        if isinstance(each, Distribution):
            found[each.key] = times_summary(value)
        elif each.greatest and not each.internal:
            found[each.key] = value
    return found


def _counts(run_stats: RunPart) -> dict[str, Any]:
    counters = (each for each in GENERATOR_QUANTITIES if isinstance(each, Counter) and not each.greatest)
    return {each.key: getattr(run_stats, each.field) for each in counters if not each.internal}


def _history(history: RunHistory) -> History:
    columns = [
        HistoryColumn(
            t_s=t_s,
            outcomes={str(outcome): times for outcome, times in column.outcomes.items()},
            intervals=[
                NamedIntervals(name=name, protocol=protocol, counts=sorted(counts.items()))
                for (name, protocol), counts in sorted(column.intervals.items(), key=lambda item: _others_last(item[0]))
            ],
            lag_p99=column.worst_lag_s,
            cpu_max=column.cpu_max,
        )
        for t_s, column in history.since(0)
    ]
    return History(width_s=history.width_s, interval_bounds=list(HEAT_BOUNDS_S), columns=columns)


def _others_last(key: Key) -> tuple[bool, Key]:
    return key == OTHER, key


def timeline(run_stats: RunStats) -> list[TimelinePoint]:
    """Return each second, over all names and by name. Seconds in which no process reported are left out."""
    points = []
    for t_s, second in sorted(run_stats.seconds.items()):
        point = timeline_point(t_s, second)
        point["streams"] = _named_points(run_stats.names(second))
        points.append(point)
    return points


def timeline_point(t_s: int, second: RunSecond) -> TimelinePoint:
    """Return one second of the timeline, over all names."""
    arrivals = second.arrivals if any(second.arrivals.values()) else {}
    figures = {**point_figures(second, second.times()), **arrivals}
    return cast("TimelinePoint", {"t_s": t_s, "active": second.active, **figures})


def _named_points(names: dict[Key, NameSecond]) -> list[NamedPoint]:
    """Return the second of each name; all other names together come last."""
    return [
        NamedPoint(name=name, protocol=protocol, **point_figures(second, second.times))
        for (name, protocol), second in sorted(names.items(), key=lambda item: _others_last(item[0]))
    ]


def point_figures(sums: Sums, times: Times) -> PointFigures:
    """Return the figures of one second of the timeline."""
    return cast("PointFigures", {**sums.to_dict(), **times.to_dict(), "uncertain": times.ranges_s})
