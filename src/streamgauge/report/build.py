"""From what was measured to ``result.json``'s shape."""

from typing import Literal, cast

from streamgauge.measure.alignment import ChunkDelays
from streamgauge.measure.health import verdict
from streamgauge.measure.ledger import Key
from streamgauge.measure.second import Counts, NamedSecond, Second, Times
from streamgauge.measure.tally import Tally
from streamgauge.measure.totals import OTHER, RunTotals
from streamgauge.measure.uncertainty import uncertain_first_chunks, uncertain_intervals, uncertain_token_times
from streamgauge.report.calibration import Calibration
from streamgauge.report.delay import delay_clock, delay_summary
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
from streamgauge.report.tally import counted_s
from streamgauge.report.tokens import token_rate

PASSED, FAILED, UNTRUSTED = 0, 1, 3


def build_result(run: Run, totals: RunTotals, calibration: Calibration | None = None) -> Result:
    """The result of a run. ``calibration`` is the last one of this machine."""
    trust, reasons = verdict(totals)
    failed = any(tally.failed for tally in totals.tallies.values())
    delays = totals.delays.results()
    exit_code = UNTRUSTED if trust == "invalid" else FAILED if failed else PASSED
    return Result(
        schema=SCHEMA,
        run=run,
        verdict=Verdict(trust=trust, reasons=reasons, slo=[], exit_code=exit_code),
        streams=[
            _streams(name, protocol, tally, delays.get((name, protocol)), counted_s(run))
            for (name, protocol), tally in sorted(totals.tallies.items())
            if tally.counted
        ],
        generator=_generator(totals, calibration),
        timeline=timeline(totals),
    )


def _streams(name: str, protocol: str, tally: Tally, delays: ChunkDelays | None, run_s: float) -> NamedStreams:
    succeeded = tally.time_to_first_chunk.minus(tally.failed_time_to_first_chunk)
    return NamedStreams(
        name=name,
        protocol=protocol,
        started=max(0, tally.started),  # below 0: under ``auto``, a reset before it knew what it speaks
        outcomes={str(outcome): times for outcome, times in tally.outcomes.most_common()},
        time_to_first_chunk=summary(succeeded, uncertain_first_chunks(tally, QUANTILES)),
        chunk_interval=summary(tally.chunk_interval, uncertain_intervals(tally, QUANTILES)),
        chunk_delay=None if delays is None else delay_summary(delays),
        chunk_delay_clock=None if delays is None else delay_clock(delays),
        duration=summary(tally.duration),
        chunks=tally.chunks,
        bytes=tally.bytes,
        heartbeats=tally.heartbeats,
        stalls=tally.stalls,
        coalesced_share=tally.coalesced / tally.chunks if tally.chunks else 0.0,
        lost=tally.lost,
        repeated=tally.repeated,
        out_of_order=tally.out_of_order,
        beyond_window=tally.beyond_window,
        reconnects=tally.reconnects,
        tokens=tally.tokens,
        time_per_output_token=_token_time(tally),
        tokens_per_second=token_rate(tally, run_s),
        reasons=dict(tally.reasons.most_common()),
    )


def _token_time(tally: Tally) -> MetricSummary | None:
    if not tally.time_per_output_token.count:
        return None
    return summary(tally.time_per_output_token, uncertain_token_times(tally, QUANTILES))


def _generator(totals: RunTotals, calibration: Calibration | None) -> Generator:
    stamps: Literal["kernel", "read", "mixed"] = "mixed"
    if totals.fallbacks <= totals.reads * 0.001:
        stamps = "kernel"
    elif totals.fallbacks == totals.reads:
        stamps = "read"
    return Generator(
        timestamps=stamps,
        lag=summary(totals.lag),
        hub_lag=summary(totals.hub_lag),
        longest_pause_s=totals.longest_pause_s,
        cpu_taken=totals.taken_share,
        cpu_max=totals.cpu_max,
        late_starts=0,
        dropped_arrivals=0,
        clock_steps=totals.clock_steps,
        refusal_pauses=totals.refusal_pauses,
        refusal_pause_s=totals.refusal_pause_s,
        calibration=calibration,
    )


def timeline(totals: RunTotals) -> list[TimelinePoint]:
    """Second by second, over all names and by name; a second in which no process reported is left out."""
    points = []
    for t_s, second in sorted(totals.seconds.items()):
        point = timeline_point(t_s, second)
        point["streams"] = _named_points(totals.names(second))
        points.append(point)
    return points


def timeline_point(t_s: int, second: Second) -> TimelinePoint:
    """One second of the timeline, over all names."""
    return cast("TimelinePoint", {"t_s": t_s, "active": second.active, **_figures(second, second.times())})


def _named_points(names: dict[Key, NamedSecond]) -> list[NamedPoint]:
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
