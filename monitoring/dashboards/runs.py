"""The table of load tests, for several dashboards."""

from monitoring.config import NO_RUN
from monitoring.dashboards.families import RUN_INFO, RUN_START, TRUST
from monitoring.panels import TRUST as TRUST_WORDS
from monitoring.promql.runs import length_of_each_run, of_each_run
from monitoring.tables import Column, Table, table


def runs_table(advice: str) -> Table:
    """Build the table of the runs in the time range, newest first; ``advice`` says how to use it."""
    return table(
        "Runs",
        f"`{RUN_START}`, `{TRUST}`, `{RUN_INFO}`: the load tests in the time range, newest first, and their last "
        f"verdict. {advice}",
        {"run_id": "Run", "scenario": "Scenario", "host": "Host"},
        [
            Column("Started", f"{of_each_run(RUN_START)} * 1000", "dateTimeAsIso"),
            Column("Measurement", of_each_run(TRUST), "none", None, {"mappings": TRUST_WORDS}),
            Column("Run length", length_of_each_run(), "s"),
        ],
        sort_by="Started",
        largest_first=True,
        no_value=NO_RUN,
    )
