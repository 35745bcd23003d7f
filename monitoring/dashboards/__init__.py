"""The dashboards, one a module; each has ``build()``."""

from collections.abc import Callable

from monitoring.dashboards import overview
from monitoring.panels import Json

#: What ``monitoring.build`` writes, in the order in which a reader meets them.
DASHBOARDS: tuple[Callable[[], Json], ...] = (overview.build,)
