"""From what was measured to ``result.json``'s shape."""

from typing import Literal, cast

from streamgauge.report.calibration import Calibration
from streamgauge.report.chunk_delay import delay_clock, delay_summary
from streamgauge.report.result import (
    QUANTILES,
    SCHEMA,
    Generator,
    MetricSummary,
    NamedPoint,
    NamedStreams,
    PointFigures,
    Result,
    Run,
    TimelinePoint,
    Verdict,
)
from streamgauge.report.summary import summary
from streamgauge.report.sums import counted_s
from streamgauge.report.tokens import token_rate
from streamgauge.stats.clocks.alignment import ChunkDelays
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_second import Counts, NameSecond, RunSecond, Times
from streamgauge.stats.run_stats import OTHER, RunStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import uncertain_first_chunks, uncertain_intervals, uncertain_token_times
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.trust import verdict


def build_result(run: Run, run_stats: RunStats, calibration: Calibration | None = None) -> Result:
    """The result of a run. ``calibration`` is the last one of this machine."""
    trust, reasons = verdict(run_stats)
    failed = any(stats.failed for stats in run_stats.all_stats.values())
    delays = run_stats.delays.results()
    exit_code = ExitStatus.UNTRUSTED if trust == "invalid" else ExitStatus.FAILED if failed else ExitStatus.PASSED
    return Result(
        schema=SCHEMA,
        run=run,
        verdict=Verdict(trust=trust, reasons=reasons, slo=[], exit_code=exit_code),
        streams=[
            _streams(name, protocol, stats, delays.get((name, protocol)), counted_s(run))
            for (name, protocol), stats in sorted(run_stats.all_stats.items())
            if stats.counted
        ],
        generator=_generator(run_stats, calibration),
        timeline=timeline(run_stats),
    )


def _streams(name: str, protocol: str, stats: StreamStats, delays: ChunkDelays | None, run_s: float) -> NamedStreams:
    succeeded = stats.time_to_first_chunk.minus(stats.failed_time_to_first_chunk)
    return NamedStreams(
        name=name,
        protocol=protocol,
        started=max(0, stats.started),  # below 0: under ``auto``, a reset before it knew what it speaks
        outcomes={str(outcome): times for outcome, times in stats.outcomes.most_common()},
        time_to_first_chunk=summary(succeeded, uncertain_first_chunks(stats, QUANTILES)),
        chunk_interval=summary(stats.chunk_interval, uncertain_intervals(stats, QUANTILES)),
        chunk_delay=None if delays is None else delay_summary(delays),
        chunk_delay_clock=None if delays is None else delay_clock(delays),
        duration=summary(stats.duration),
        chunks=stats.chunks,
        bytes=stats.bytes,
        heartbeats=stats.heartbeats,
        stalls=stats.stalls,
        coalesced_share=stats.coalesced / stats.chunks if stats.chunks else 0.0,
        lost=stats.lost,
        repeated=stats.repeated,
        out_of_order=stats.out_of_order,
        beyond_window=stats.beyond_window,
        reconnects=stats.reconnects,
        tokens=stats.tokens,
        time_per_output_token=_token_time(stats),
        tokens_per_second=token_rate(stats, run_s),
        reasons=dict(stats.reasons.most_common()),
    )


def _token_time(stats: StreamStats) -> MetricSummary | None:
    if not stats.time_per_output_token.count:
        return None
    return summary(stats.time_per_output_token, uncertain_token_times(stats, QUANTILES))


def _generator(run_stats: RunStats, calibration: Calibration | None) -> Generator:
    stamps: Literal["kernel", "read", "mixed"] = "mixed"
    if run_stats.fallbacks <= run_stats.reads * 0.001:
        stamps = "kernel"
    elif run_stats.fallbacks == run_stats.reads:
        stamps = "read"
    return Generator(
        timestamps=stamps,
        lag=summary(run_stats.lag),
        hub_lag=summary(run_stats.hub_lag),
        longest_pause_s=run_stats.longest_pause_s,
        cpu_taken=run_stats.taken_share,
        cpu_max=run_stats.cpu_max,
        late_starts=0,
        dropped_arrivals=0,
        clock_steps=run_stats.clock_steps,
        refusal_pauses=run_stats.refusal_pauses,
        refusal_pause_s=run_stats.refusal_pause_s,
        calibration=calibration,
    )


def timeline(run_stats: RunStats) -> list[TimelinePoint]:
    """Second by second, over all names and by name; a second in which no process reported is left out."""
    points = []
    for t_s, second in sorted(run_stats.seconds.items()):
        point = timeline_point(t_s, second)
        point["streams"] = _named_points(run_stats.names(second))
        points.append(point)
    return points


def timeline_point(t_s: int, second: RunSecond) -> TimelinePoint:
    """One second of the timeline, over all names."""
    return cast("TimelinePoint", {"t_s": t_s, "active": second.active, **_figures(second, second.times())})


def _named_points(names: dict[Key, NameSecond]) -> list[NamedPoint]:
    """By name, the line of the others last."""
    return [
        NamedPoint(name=name, protocol=protocol, **_figures(second, second.times))
        for (name, protocol), second in sorted(names.items(), key=lambda item: (item[0] == OTHER, item[0]))
    ]


def _figures(counts: Counts, times: Times) -> PointFigures:
    return PointFigures(
        started=counts.started,
        finished=counts.finished,
        failed=counts.failed,
        chunks=counts.chunks,
        bytes=counts.bytes,
        time_to_first_chunk=times.quantiles("time_to_first_chunk"),
        chunk_interval=times.quantiles("chunk_interval"),
        uncertain=times.ranges_s,
    )
