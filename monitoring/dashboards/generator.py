"""Panels on whether the load generator kept up, and its runs."""

from grafanalib import core

from monitoring.config import NO_RUN
from monitoring.dashboards.families import BY_NAME, CLIENT_CHUNKS, COALESCED, GENERATOR_LAG, NAME_LEGEND, NAMES_LEFT_OUT
from monitoring.dashboards.runs import runs_table
from monitoring.panels import chart, heatmap, stat
from monitoring.promql.panels import bucket_rate, gauge_sum, quantile, ratio


def generator_panels() -> list[core.Panel]:
    """Build the panels: lag, coalesced chunks, the limit on names, and the runs."""
    return [
        chart(
            "Generator lag by worker, p99",
            f"`{GENERATOR_LAG}`: from a chunk's arrival in the kernel until the worker read it. One worker above the "
            "others shares its core; if all rise above 10 ms, the load needs more workers.",
            [(quantile(0.99, GENERATOR_LAG, ("worker",)), "{{worker}}")],
            "s",
            GENERATOR_LAG,
        ),
        heatmap(
            "Generator lag, distribution",
            f"`{GENERATOR_LAG}`: each row is a bucket, darker for more reads. While chunks arrive fast the generator "
            "reads every 10 ms, on purpose; cells far above that are pauses of the generator or its machine.",
            bucket_rate(GENERATOR_LAG),
            "reads",
        ),
        chart(
            "Coalesced chunks",
            f"`{COALESCED}`, `{CLIENT_CHUNKS}`: the share of chunks that arrived in one read with others, so that only "
            "an interval is known for their arrival. Some are normal for TCP; nearly all mean a buffer on the path.",
            [(ratio(COALESCED, CLIENT_CHUNKS, BY_NAME), NAME_LEGEND)],
            "percentunit",
            COALESCED,
            max=1,
        ),
        stat(
            "Names above the limit",
            f"`{NAMES_LEFT_OUT}`: names of this run without their own series; their streams count as (other names). "
            "Above zero, the scenario uses a name per session or id: give streams of one kind the same name.",
            gauge_sum(NAMES_LEFT_OUT),
            "short",
            noValue=NO_RUN,
        ),
        runs_table(
            "To compare two runs, use their ids in the dashboard Compare runs; result.json has the exact figures."
        ),
    ]
