"""The dashboards, one a module; each has ``build()``."""

from collections.abc import Callable

from monitoring.dashboards import client_against_server, compare_runs, load_test, overview, server
from monitoring.panels import Json

#: What ``monitoring.build`` writes, in the order in which a reader meets them.
DASHBOARDS: tuple[Callable[[], Json], ...] = (
    overview.build,
    server.build,
    load_test.build,
    client_against_server.build,
    compare_runs.build,
)
