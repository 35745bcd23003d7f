"""Tables of the SLO rules of load tests: how they stand now, and which of two runs passed them."""

from monitoring.config import NO_RULES
from monitoring.dashboards import families as m
from monitoring.panels import Json
from monitoring.promql.panels import lowest
from monitoring.promql.results import BASE, NEW, of_run
from monitoring.tables import Column, Table, table

_RULE = ("rule",)
_PASSED: Json = {
    "mappings": [
        {
            "type": "value",
            "options": {
                "1": {"text": "holds", "color": "green", "index": 0},
                "0": {"text": "fails", "color": "red", "index": 1},
            },
        }
    ]
}


def rules_now() -> Table:
    """Make the table of the run under way, or of the one that has just ended."""
    return table(
        "SLO rules, now",
        f"`{m.SLO_PASSED}`: each rule of the run (`--stream-slo`), and whether it holds so far or, once the run has "
        "ended, whether it passed. A rule without data has no row while the run goes on. Of several runs the worst "
        "state of each rule is shown; result.json has what was observed.",
        {"rule": "Rule"},
        [Column("State", lowest(m.SLO_PASSED, _RULE), "none", None, _PASSED)],
        sort_by="State",
        no_value=NO_RULES,
    )


def rules_of_both() -> Table:
    """Make the table of two finished runs."""
    return table(
        "SLO rules",
        f"`{m.RESULT_SLO_PASSED}`: whether each run passed its rules (`--stream-slo`). An empty field means that the "
        "run did not have this rule: a rule whose limit was changed is another rule.",
        {"rule": "Rule"},
        [
            Column("Base", of_run(BASE, m.RESULT_SLO_PASSED, _RULE), "none", None, _PASSED),
            Column("New", of_run(NEW, m.RESULT_SLO_PASSED, _RULE), "none", None, _PASSED),
        ],
        sort_by="Rule",
        no_value=NO_RULES,
    )
