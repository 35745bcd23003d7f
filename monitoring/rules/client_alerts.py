"""Alerts on a load test. None pages: a load test is meant to find the limit.

If a generator is not trusted, the Alertmanager silences the alerts on latency of its job, since the generator may be
the cause. It is not the cause of truncated and refused streams.
"""

from collections.abc import Iterator

from monitoring.promql.rules import untrusted
from monitoring.promql.text import family
from monitoring.rules.plan import Plan
from monitoring.rules.recording import FAILED, NAME, TRUNCATED, record
from monitoring.rules.rule import Alert, Group

_CLIENT = {"side": "client"}
_STREAM = "{{ $labels.job }} {{ $labels.name }} ({{ $labels.protocol }})"
_SHARE = "{{ $value | humanizePercentage }}"


def groups(plan: Plan) -> list[Group]:
    """Make the group."""
    alerts = [*_ended_badly(plan), *_stalled(plan), _not_trusted(plan)]
    return [Group("streamgauge-client-alerts", 5, alerts)]


def _symptom(plan: Plan, name: str, expression: str, summary: str, description: str) -> Alert:
    return Alert(
        name, "ticket", expression, f"{_STREAM}: {summary}", description, memory_s=plan.run_memory_s, labels=_CLIENT
    )


def _late(name: str, expression: str, summary: str, description: str, sign: str) -> Alert:
    """Make an alert on a symptom that a late generator can cause. It ends with its run, like what silences it."""
    labels = _CLIENT | {"sign": sign, "about": "latency"}
    return Alert(name, "ticket", expression, f"{_STREAM}: {summary}", description, labels=labels)


def _share(plan: Plan, word: str) -> str:
    name = record(NAME, f"stream_client_{word}_per_finished", "ratio_rate", plan.run_window_s)
    return f"{name} > {plan.client_failed_share:g}"


def _ended_badly(plan: Plan) -> Iterator[Alert]:
    window = plan.window(plan.run_window_s)
    yield _symptom(
        plan,
        "ClientStreamsTruncated",
        _share(plan, "truncated"),
        "streams are truncated.",
        f"{_SHARE} of the streams that finished in the last {window} were {' or '.join(TRUNCATED)}: the "
        "connection closed inside the body, or the expected end marker never came.",
    )
    yield _symptom(
        plan,
        "ClientStreamsFailed",
        _share(plan, "failed"),
        "streams fail.",
        f"{_SHARE} of the streams that finished in the last {window} ended in {', '.join(FAILED[:-1])} or "
        f"{FAILED[-1]}.",
    )


def _stalled(plan: Plan) -> Iterator[Alert]:
    window = plan.window(plan.run_window_s)
    stalls = record(NAME, "stream_client_stalls_per_active", "rate", plan.run_window_s)
    yield _late(
        "ClientStreamsStalled",
        f"60 * {stalls} > {plan.stalls_per_minute:g}",
        "streams pause.",
        f'Over the last {window} each stream paused {{{{ printf "%.3g" $value }}}} times a minute for more than '
        f"{plan.stall_s:g} s. {plan.stalls_per_minute:g} are allowed.",
        "pause",
    )
    yield _late(
        "ClientStreamsStalled",
        _share(plan, "stalled"),
        "streams stop.",
        f"{_SHARE} of the streams that finished in the last {window} stalled: no chunk came within the idle timeout, "
        "or no end within the total timeout.",
        "outcome",
    )


def _not_trusted(plan: Plan) -> Alert:
    """Make one alert per job, which lasts as long as its runs are in the window of other alerts."""
    trust, window = family("stream_client_trust", "gauge").name, plan.window(plan.run_window_s)
    of_any_job, of_job = untrusted(trust, window)
    return Alert(
        "GeneratorNotTrusted",
        "info",
        of_any_job,
        "{{ $labels.job }}: the load generator did not keep up.",
        f'{{{{ range {of_job} | query | sortByLabel "run_id" }}}}The measurement of run {{{{ label "run_id" . }}}} is '
        "{{ if eq (value .) 0.0 }}invalid{{ else }}degraded{{ end }}. {{ end }}Its delays may come from the load "
        "generator instead of the service. Its result.json gives the reasons.",
        labels=_CLIENT,
    )
