"""Alerts on the service: symptoms that users notice page; causes and early signs are tickets or information."""

from collections.abc import Iterator

from monitoring.promql.rules import all_of, counted, gauged, longer, names_one_job, none_up, nothing_sent, some_down
from monitoring.promql.text import any_of, quoted
from monitoring.rules.plan import Plan
from monitoring.rules.recording import FINISHED, ROUTE, STREAM, failed_requests, record, refusals
from monitoring.rules.rule import Alert, Group

_SERVER = {"side": "server"}
_STREAM = "{{ $labels.job }} {{ $labels.route }} ({{ $labels.protocol }})"
_SHARE = "{{ $value | humanizePercentage }}"
_TIME = "{{ $value | humanizeDuration }}"


def groups(plan: Plan) -> list[Group]:
    """Make the alerts on streams and on targets."""
    streams = [_silent(plan), _errored(plan), _requests_failed(plan), _stalled(plan), _refused(plan)]
    streams += [*_slow_readers(plan), *_loop_lag(plan)]
    return [
        Group("streamgauge-server-alerts", 10, streams),
        Group("streamgauge-target-alerts", 10, [*_targets(plan)]),
    ]


def _silent(plan: Plan) -> Alert:
    """Find silence, which no interval and no outcome counts before it ends."""
    window = plan.window(plan.silence_s)
    active = gauged("stream_server_active", STREAM, "min_over_time", window)
    chunks = counted("stream_server_chunks_total", STREAM, "rate", window)
    heartbeats = counted("stream_server_heartbeats_total", STREAM, "rate", window)
    return Alert(
        "StreamsSilent",
        "page",
        nothing_sent(active, plan.least_events, chunks, heartbeats),
        f"{_STREAM}: open streams send nothing.",
        f"At least {{{{ $value | humanize }}}} streams were open for the last {window}, and none sent a chunk or a "
        "heartbeat. They wait for something, or the event loop is blocked.",
        wait_s=plan.down_s,
        labels=_SERVER,
    )


def _errored(plan: Plan) -> Alert:
    window = plan.window(plan.window_s)
    outcomes = any_of("outcome", plan.failed_outcomes)
    errored = counted(FINISHED, STREAM, "increase", window, outcomes)
    share = record(STREAM, "stream_server_errored_per_finished", "ratio_rate", plan.window_s)
    return Alert(
        "StreamsErrored",
        "ticket",
        all_of(f"{share} > {plan.errored_share:g}", f"{errored} >= {plan.least_events}"),
        f"{_STREAM}: streams end in an error.",
        f"{_SHARE} of the streams of this route that finished in the last {window} ended in "
        f"{' or '.join(plan.failed_outcomes)}: cut, closed with an error chunk, or answered with a status from 500.",
        wait_s=plan.wait_s,
        labels=_SERVER,
    )


def _requests_failed(plan: Plan) -> Alert:
    window = plan.window(plan.window_s)
    share = record(ROUTE, "http_server_requests_failed_per_asked", "ratio_rate", plan.window_s)
    failed = failed_requests("increase", window)
    return Alert(
        "RequestsFailed",
        "ticket",
        all_of(f"{share} > {plan.errored_share:g}", f"{failed} >= {plan.least_events}"),
        "{{ $labels.job }} {{ $labels.route }}: requests fail before they stream.",
        f"{_SHARE} of the requests of this route in the last {window} were answered with a status from 500, or failed "
        "before the end of a body that was no stream.",
        wait_s=plan.wait_s,
        labels=_SERVER,
    )


def _stalled(plan: Plan) -> Alert:
    window = plan.window(plan.window_s)
    stalls = record(STREAM, "stream_server_stalls_per_active", "rate", plan.window_s)
    return Alert(
        "StreamsStalled",
        "ticket",
        f"60 * {stalls} > {plan.stalls_per_minute:g}",
        f"{_STREAM}: streams pause for more than {plan.stall_s:g} s.",
        f'Over the last {window} each open stream paused {{{{ printf "%.3g" $value }}}} times a minute for more than '
        f"{plan.stall_s:g} s, not counting waits for its reader. {plan.stalls_per_minute:g} are allowed.",
        wait_s=plan.wait_s,
        labels=_SERVER,
    )


def _refused(plan: Plan) -> Alert:
    window = plan.window(plan.window_s)
    share = record(ROUTE, "stream_server_refused_per_asked", "ratio_rate", plan.window_s)
    return Alert(
        "StreamsRefused",
        "ticket",
        all_of(f"{share} > {plan.refused_share:g}", f"{refusals(plan, 'increase', window)} >= {plan.least_events}"),
        "{{ $labels.job }} {{ $labels.route }}: streams are refused because there are too many.",
        f"{_SHARE} of the streams requested in the last {window} were refused by a limit or a rate limit.",
        wait_s=plan.wait_s,
        labels=_SERVER,
    )


def _slow_readers(plan: Plan) -> Iterator[Alert]:
    window = plan.window(plan.window_s)
    yield Alert(
        "SlowReaders",
        "info",
        f"{record(STREAM, 'stream_server_chunk_send_seconds', 'p99_rate', plan.window_s)} > {plan.send_s:g}",
        f"{_STREAM}: readers do not keep up.",
        f"One send in a hundred waited for {_TIME} or longer in the last {window}: the socket's buffers were full.",
        wait_s=plan.wait_s,
        labels=_SERVER | {"sign": "send_time"},
    )
    gone = counted(FINISHED, STREAM, "increase", window, any_of("outcome", ["send_timeout"]))
    yield Alert(
        "SlowReaders",
        "info",
        f"{gone} >= {plan.least_events}",
        f"{_STREAM}: readers stop reading.",
        f"{{{{ $value | humanize }}}} streams were ended in the last {window} because their readers read nothing for "
        "longer than the send timeout.",
        labels=_SERVER | {"sign": "send_timeout"},
    )


def _loop_lag(plan: Plan) -> Iterator[Alert]:
    lag, level, window = "event_loop_lag_seconds", ("job", "instance"), plan.window(plan.window_s)
    yield Alert(
        "EventLoopLag",
        "ticket",
        f"{record(level, lag, 'p99_rate', plan.window_s)} > {plan.loop_lag_s:g}",
        "{{ $labels.instance }} of {{ $labels.job }}: something blocks the event loop.",
        f"One timer in a hundred ran at least {_TIME} late in the last {window}, and delayed every chunk of every "
        "stream of that process.",
        wait_s=plan.wait_s,
        labels=_SERVER | {"sign": "p99"},
    )
    yield Alert(
        "EventLoopLag",
        "ticket",
        all_of(
            f"{record(level, f'{lag}_sum', 'rate', plan.window_s)} > {plan.loop_late_share:g}",
            f"{longer(lag, plan.loop_lag_s, level, 'increase', window)} > 0",
        ),
        "{{ $labels.instance }} of {{ $labels.job }}: something blocks the event loop for a long time.",
        f"Over the last {window} timers were {_TIME} late per second, all workers together, and some by more than "
        f"{plan.loop_lag_s:g} s. A blocked loop runs few timers, so their p99 may not show it.",
        wait_s=plan.wait_s,
        labels=_SERVER | {"sign": "late_seconds"},
    )


def _job_or(jobs: str) -> str:
    """Name the job, or the expression for all jobs: the answer of ``absent`` has no job then."""
    return f"{{{{ if $labels.job }}}}{{{{ $labels.job }}}}{{{{ else }}}}{{{{ {quoted(jobs)} }}}}{{{{ end }}}}"


def _targets(plan: Plan) -> Iterator[Alert]:
    yield Alert(
        "StreamAppDown",
        "page",
        none_up(plan.app_job),
        f"{'{{ $labels.job }}' if names_one_job(plan.app_job) else _job_or(plan.app_job)} is down.",
        "Prometheus cannot reach any of its targets, or finds none.",
        wait_s=plan.down_s,
        labels=_SERVER,
    )
    yield Alert(
        "StreamInstanceDown",
        "ticket",
        some_down(plan.app_job),
        "{{ $labels.instance }} of {{ $labels.job }} is down.",
        "Prometheus cannot reach this target, while others of its job respond.",
        wait_s=plan.down_s,
        labels=_SERVER,
    )
