"""Whether the load generator kept up, and the runs that it made."""

from grafanalib import core

from monitoring.config import NO_RUN
from monitoring.dashboards.families import BY_NAME, CLIENT_CHUNKS, COALESCED, GENERATOR_LAG, NAME_LEGEND, NAMES_LEFT_OUT
from monitoring.dashboards.runs import runs_table
from monitoring.panels import chart, heatmap, stat
from monitoring.promql.panels import bucket_rate, gauge_sum, quantile, ratio


def generator_panels() -> list[core.Panel]:
    """Its lag, how chunks came, and the limit on names."""
    return [
        chart(
            "Generator lag by worker, p99",
            f"`{GENERATOR_LAG}`: arrival in the kernel until the worker looked. One worker above the others shares "
            "its core with something; all of them above 10 ms, and rising, is a load that needs more workers.",
            [(quantile(0.99, GENERATOR_LAG, ("worker",)), "{{worker}}")],
            "s",
            GENERATOR_LAG,
        ),
        heatmap(
            "Generator lag, all of it",
            f"`{GENERATOR_LAG}`: each row is a bucket, the darker the more reads. While chunks come fast the generator "
            "looks every 10 ms, on purpose; cells far above that are pauses, of its own or of the machine.",
            bucket_rate(GENERATOR_LAG),
            "reads",
        ),
        chart(
            "Coalesced chunks",
            f"`{COALESCED}`, `{CLIENT_CHUNKS}`: the share of chunks that came in one read with others, so that their "
            "arrival is known as an interval only. Some is TCP's nature; near all of them is a buffer on the path.",
            [(ratio(COALESCED, CLIENT_CHUNKS, BY_NAME), NAME_LEGEND)],
            "percentunit",
            COALESCED,
            max=1,
        ),
        stat(
            "Names beyond the limit",
            f"`{NAMES_LEFT_OUT}`: names of this run without series of their own; their streams count under (other "
            "names). Above zero, the scenario gives a name to each session or id: give streams of one kind one name.",
            gauge_sum(NAMES_LEFT_OUT),
            "short",
            noValue=NO_RUN,
        ),
        runs_table("Take two ids to the dashboard Compare runs; result.json holds the exact figures."),
    ]
