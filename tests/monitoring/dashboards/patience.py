"""A locustfile beside another: its master does not give up workers that are kept from running for some seconds."""

import locust.runners

#: Heartbeats, one a second, that may stay away. A run whose workers are all given up ends, and has no result.
locust.runners.HEARTBEAT_LIVENESS = 60
