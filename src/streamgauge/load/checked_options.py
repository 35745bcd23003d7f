"""Checks all options of a run together: those of the command line, or those of the web form that starts it."""

from typing import Any

from locust.env import Environment

from streamgauge.load.arrivals.arrival_options import open_model
from streamgauge.load.options import scenario_options
from streamgauge.load.own_options import check_own_options
from streamgauge.load.scenario_options import ScenarioOptions
from streamgauge.load.slo_options import slo_rules
from streamgauge.load.warm_up_option import check_warm_up


def checked_options(environment: Environment, parsed: Any) -> ScenarioOptions:
    """Read the options of ``parsed``; return those of the scenario.

    Raises ValueError that names the option and its value if no run can start with them.
    """
    options = scenario_options(parsed)
    open_model(parsed)
    check_own_options(environment, parsed)
    slo_rules(parsed)
    check_warm_up(parsed)
    return options
