"""Service level objectives: the burn rate of each error budget over several windows, and the alerts on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitoring.promql.rules import all_of, counted, difference_or_zero, longer, observed, ratio
from monitoring.promql.text import any_of, part_of
from monitoring.rules.plan import BURNS, Burn, Plan, span
from monitoring.rules.recording import record
from monitoring.rules.rule import Alert, Group, Recording

_JOB = ("job",)
Count = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Indicator:
    """The events of an objective: ``bad`` and ``all_`` make an expression for ``rate`` or ``increase`` and a window."""

    objective: str
    alert: str
    ratio: str
    bad: Count
    all_: Count
    summary: str
    bad_events: str

    def record(self, window_s: float) -> str:
        """Make the name of the recorded share of bad events."""
        return record(_JOB, self.ratio, "ratio_rate", window_s)


def groups(plan: Plan) -> list[Group]:
    """Make groups of recorded shares and alerts; those with long windows are evaluated less often."""
    quick = [rule for each in indicators(plan) for rule in _recordings(plan, each, lambda s: s <= 3600)]
    slow = [rule for each in indicators(plan) for rule in _recordings(plan, each, lambda s: s > 3600)]
    quick_alerts = [_alert(plan, each, burn) for each in indicators(plan) for burn in BURNS if not _is_slow(burn)]
    slow_alerts = [_alert(plan, each, burn) for each in indicators(plan) for burn in BURNS if _is_slow(burn)]
    return [
        Group("streamgauge-slo-quick", 10, quick),
        Group("streamgauge-slo-slow", 60, slow),
        Group("streamgauge-slo-quick-alerts", 10, quick_alerts),
        Group("streamgauge-slo-slow-alerts", 60, slow_alerts),
    ]


def _is_slow(burn: Burn) -> bool:
    """Tell whether the alert's window is a day or more."""
    return burn.long_s >= 86_400


def indicators(plan: Plan) -> list[Indicator]:
    """Make the indicators: streams that do not fail, first chunks in time, chunks in time."""
    first_s = plan.objectives["time_to_first_chunk"].bound_s
    between_s = plan.objectives["chunk_interval"].bound_s
    first, interval = "stream_server_time_to_first_chunk_seconds", "stream_server_chunk_interval_seconds"
    send, finished = "stream_server_chunk_send_seconds", "stream_server_finished_total"
    outcomes = any_of("outcome", plan.failed_outcomes)

    def late_chunks(over: str, window: str) -> str:
        """Subtract long sends, which wait for readers: an interval contains the send of its later chunk."""
        late = longer(interval, between_s, _JOB, over, window)
        return difference_or_zero(late, longer(send, between_s, _JOB, over, window))

    return [
        Indicator(
            "success",
            "StreamSuccessBudgetBurn",
            "stream_server_failed_per_finished",
            lambda over, window: part_of(
                counted(finished, _JOB, over, window, outcomes), counted(finished, _JOB, over, window)
            ),
            lambda over, window: counted(finished, _JOB, over, window),
            "fails streams",
            f"of the finished streams ended in {' or '.join(plan.failed_outcomes)}",
        ),
        Indicator(
            "time_to_first_chunk",
            "StreamFirstChunkBudgetBurn",
            "stream_server_late_per_first_chunk",
            lambda over, window: longer(first, first_s, _JOB, over, window),
            lambda over, window: observed(first, _JOB, over, window),
            "starts streams late",
            f"of the first chunks took longer than {first_s:g} s",
        ),
        Indicator(
            "chunk_interval",
            "StreamChunkIntervalBudgetBurn",
            "stream_server_late_per_chunk_interval",
            late_chunks,
            lambda over, window: observed(interval, _JOB, over, window),
            "sends chunks late",
            f"of the chunks came more than {between_s:g} s after the previous one, without waiting for a reader",
        ),
    ]


def _recordings(plan: Plan, each: Indicator, wanted: Callable[[float], bool]) -> Iterator[Recording]:
    windows = sorted({window_s for burn in BURNS for window_s in (burn.long_s, burn.short_s)})
    for window_s in filter(wanted, windows):
        window = plan.window(window_s)
        yield Recording(each.record(window_s), ratio(each.bad("rate", window), each.all_("rate", window)))


def _alert(plan: Plan, each: Indicator, burn: Burn) -> Alert:
    objective = plan.share(each.objective)
    budget = f"({burn.rate:g} * {1 - objective:.6g})"
    long, short = plan.window(burn.long_s), plan.window(burn.short_s)
    return Alert(
        each.alert,
        burn.severity,
        all_of(
            f"{each.record(burn.long_s)} > {budget}",
            f"{each.record(burn.short_s)} > {budget}",
            f"{each.bad('increase', long)} >= {plan.least_events}",
        ),
        f"{{{{ $labels.job }}}} {each.summary}: {burn.rate:g} times as many as its objective allows.",
        f"Over the last {long} {{{{ $value | humanizePercentage }}}} {each.bad_events}; over the last {short} too many "
        f"did as well. The objective is {objective:.5g}. At {burn.rate:g} times the allowed rate the budget of 30 days "
        f"is spent in {span(30 * 86_400 / burn.rate)}.",
        wait_s=burn.wait_s,
        labels={"side": "server", "objective": each.objective, "window": span(burn.long_s)},
    )
