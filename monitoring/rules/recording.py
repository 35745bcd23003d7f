"""Recording rules for expressions that alerts reuse, named ``level:metric:operation``.

A name has the window of production even if a plan shortens it, so that alerts stay the same.
"""

from collections.abc import Iterator, Sequence

from monitoring.promql.panels import CLIENT_COUNTED
from monitoring.promql.rules import (
    counted,
    difference_or_zero,
    gauged,
    longer,
    observed,
    observed_total,
    quantile,
    ratio,
    sum_of,
)
from monitoring.promql.text import any_of, part_of
from monitoring.rules.plan import Plan, span
from monitoring.rules.rule import Group, Recording

ROUTE = ("job", "route")
STREAM = ("job", "route", "protocol")
NAME = ("job", "name", "protocol")
FINISHED = "stream_server_finished_total"
REQUESTS = "http_server_request_duration_seconds"
TRUNCATED = ("truncated", "incomplete")
FAILED = ("in_band_error", "check_failed", "protocol_error", "http_error", "connect_error")


def record(level: Sequence[str], metric: str, operation: str, window_s: float) -> str:
    """Make a rule's name, such as ``job_route:stream_server_started:rate5m``."""
    return f"{'_'.join(level)}:{metric}:{operation}{span(window_s)}"


def groups(plan: Plan) -> list[Group]:
    """Make the groups of both sides."""
    return [
        Group("streamgauge-server", 10, [*_server(plan)]),
        Group("streamgauge-client", 5, [*_client(plan)]),
    ]


def _server(plan: Plan) -> Iterator[Recording]:
    nominal, window = plan.window_s, plan.window(plan.window_s)
    finished = counted(FINISHED, STREAM, "rate", window)
    errored = counted(FINISHED, STREAM, "rate", window, any_of("outcome", plan.failed_outcomes))
    outcomes = (*STREAM, "outcome")

    yield Recording(
        record(outcomes, "stream_server_finished", "rate", nominal), counted(FINISHED, outcomes, "rate", window)
    )
    yield Recording(
        record(STREAM, "stream_server_errored_per_finished", "ratio_rate", nominal),
        ratio(part_of(errored, finished), finished),
    )
    yield from _refusals(plan, window)
    yield _failed_requests(plan, window)
    yield Recording(record(STREAM, "stream_server_stalls_per_active", "rate", nominal), _own_stalls(plan, window))
    for metric in ("time_to_first_chunk", "chunk_interval", "chunk_send"):
        name = f"stream_server_{metric}_seconds"
        yield Recording(record(STREAM, name, "p99_rate", nominal), quantile(0.99, name, STREAM, window))
    lag, level = "event_loop_lag_seconds", ("job", "instance")
    yield Recording(record(level, lag, "p99_rate", nominal), quantile(0.99, lag, level, window))
    yield Recording(record(level, f"{lag}_sum", "rate", nominal), observed_total(lag, level, "rate", window))


def _refusals(plan: Plan, window: str) -> Iterator[Recording]:
    """Group by route only: a refused stream may have no protocol yet."""
    started, refused = (
        record(ROUTE, f"stream_server_{word}", "rate", plan.window_s) for word in ("started", "refused")
    )
    yield Recording(started, counted("stream_server_started_total", ROUTE, "rate", window))
    yield Recording(refused, refusals(plan, "rate", window))
    rejected = counted("stream_server_rejected_total", ROUTE, "rate", window, any_of("reason", plan.refusals))
    share = record(ROUTE, "stream_server_refused_per_asked", "ratio_rate", plan.window_s)
    yield Recording(share, ratio(refused, sum_of(started, rejected)))


def refusals(plan: Plan, function: str, window: str) -> str:
    """Compute how many streams were refused because there were too many: rejected, or answered with a streamed 429."""
    rejected = counted("stream_server_rejected_total", ROUTE, function, window, any_of("reason", plan.refusals))
    return sum_of(rejected, counted(FINISHED, ROUTE, function, window, any_of("status_code", plan.refusal_statuses)))


def failed_requests(function: str, window: str) -> str:
    """Compute how many requests that did not stream were answered with a status from 500."""
    return observed(REQUESTS, ROUTE, function, window, 'status_code=~"5.."')


def _failed_requests(plan: Plan, window: str) -> Recording:
    """Divide by all requests of the route, those that streamed included: a stream may fail before its first byte."""
    name = record(ROUTE, "http_server_requests_failed_per_asked", "ratio_rate", plan.window_s)
    asked = sum_of(observed(REQUESTS, ROUTE, "rate", window), counted(FINISHED, ROUTE, "rate", window))
    return Recording(name, ratio(failed_requests("rate", window), asked))


def _own_stalls(plan: Plan, window: str) -> str:
    """Compute stalls per second and stream, without long sends, which wait for readers."""
    stalls = longer("stream_server_chunk_interval_seconds", plan.stall_s, STREAM, "rate", window)
    sends = longer("stream_server_chunk_send_seconds", plan.stall_s, STREAM, "rate", window)
    active = gauged("stream_server_active", STREAM, "avg_over_time", window)
    return ratio(difference_or_zero(stalls, sends), active)


def _client(plan: Plan) -> Iterator[Recording]:
    nominal, window = plan.run_window_s, plan.window(plan.run_window_s)
    finished = counted("stream_client_finished_total", NAME, "rate", window, CLIENT_COUNTED)
    outcomes = (*NAME, "outcome")

    def ended(*names: str) -> str:
        part = counted("stream_client_finished_total", NAME, "rate", window, any_of("outcome", names))
        return ratio(part_of(part, finished), finished)

    yield Recording(
        record(outcomes, "stream_client_finished", "rate", nominal),
        counted("stream_client_finished_total", outcomes, "rate", window),
    )
    for word, names in (("truncated", TRUNCATED), ("failed", FAILED), ("stalled", ("stalled",))):
        yield Recording(record(NAME, f"stream_client_{word}_per_finished", "ratio_rate", nominal), ended(*names))
    stalls = counted("stream_client_stalls_total", NAME, "rate", window)
    active = gauged("stream_client_active", NAME, "avg_over_time", window)
    yield Recording(record(NAME, "stream_client_stalls_per_active", "rate", nominal), ratio(stalls, active))
    for metric in ("time_to_first_chunk", "chunk_interval"):
        name = f"stream_client_{metric}_seconds"
        yield Recording(record(NAME, name, "p99_rate", nominal), quantile(0.99, name, NAME, window))
