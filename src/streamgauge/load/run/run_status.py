"""Reads the exit status that Locust would end with by itself, and says why it is not 0."""

from collections.abc import Iterator

from locust import log
from locust.env import Environment
from locust.stats import StatsError

from streamgauge.client.plan import StreamFailed
from streamgauge.report.units import some
from streamgauge.verdict.exit_status import ExitStatus, RunStatus

_OF_STREAMS = f"{StreamFailed.__name__}("


def run_status(environment: Environment, *, streams_judged: bool) -> RunStatus:
    """Return the status of the run so far, as ``locust`` computes it at its end.

    ``streams_judged``: a stream that failed does not count as a failure by itself, because SLO rules judge the streams,
    or because all that failed did so in the warm-up.
    """
    runner = environment.runner
    failures = runner is not None and (_other_failures(environment) if streams_judged else runner.errors)
    return RunStatus(
        own=environment.process_exit_code,
        failed=bool(failures or _raised(environment)),
        on_failure=_on_failure(environment),
        broken=log.unhandled_greenlet_exception,
    )


def causes(environment: Environment, verdict: int, *, streams_judged: bool) -> Iterator[str]:
    """Yield a sentence for each cause of the exit status besides the streams; ``verdict`` is theirs."""
    status = run_status(environment, streams_judged=streams_judged)
    failures, raised = _other_failures(environment), _raised(environment)
    if failures:
        yield f"Locust counted {some(failures, 'failure')} that are not streams"
    if raised:
        yield f"the scenario raised {some(raised, 'exception')}; Locust lists them"
    if status.broken:
        yield "an exception outside the scenario was not handled; the log has it"
    if status.own is not None and status.joined(verdict) == status.own:
        yield f"the test itself set the exit status {status.own} (process_exit_code)"
    elif status.joined(verdict) == status.on_failure != ExitStatus.FAILED and (status.failed or verdict):
        yield f"--exit-code-on-error sets the exit status {status.on_failure} for failures"


def _on_failure(environment: Environment) -> int:
    return int(getattr(environment.parsed_options, "exit_code_on_error", ExitStatus.FAILED))


def _other_failures(environment: Environment) -> int:
    """Return how many failures Locust counted that are not streams, in all processes."""
    errors = environment.runner.errors.values() if environment.runner else ()
    return sum(each.occurrences for each in errors if not StatsError.parse_error(each.error).startswith(_OF_STREAMS))


def _raised(environment: Environment) -> int:
    """Return how many exceptions the users' own code raised, in all processes."""
    return sum(each["count"] for each in environment.runner.exceptions.values()) if environment.runner else 0
