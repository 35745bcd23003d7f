"""Ends a run: closes its report if there is anything to report, and shows its result."""

import logging

from locust.env import Environment

from streamgauge.load.run.run_report import RunReport
from streamgauge.load.usage import refused
from streamgauge.load.users import stream_users
from streamgauge.report.result import Result

logger = logging.getLogger(__name__)


def end_of_run(environment: Environment, run_report: RunReport) -> Result | None:
    """Close the report and return the result.

    Return None, and keep Locust's own status, for a run without stream users and for a run that was refused.
    """
    if refused(environment):
        return None
    if not (run_report.counted or _streaming(environment)):
        problems = "".join(f" ({problem})" for problem in run_report.run_stats.problems)
        logger.warning("No stream was started, so streamgauge has nothing to report%s", problems)
        return None
    return run_report.close()


def _streaming(environment: Environment) -> bool:
    """Whether any user class streams."""
    return bool(stream_users(environment))


def show(environment: Environment, result: Result) -> None:
    """Print the table and the verdict: to standard error if Locust's ``--json`` has standard output to itself."""
    from streamgauge.report.console import print_table
    from streamgauge.report.terminal import standard_error, standard_output

    json_only = getattr(environment.parsed_options, "json", False)
    print_table(result, console=standard_error() if json_only else standard_output())
