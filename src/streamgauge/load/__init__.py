"""Locust users that drive streams, and statistics of theirs that are exact over any number of workers.

Importing this package adds streamgauge's options to ``locust`` and its listeners to Locust's events, so that every
locustfile that uses ``StreamUser`` is a full run: verdict, table, ``result.json``, report and exit status.
"""

from streamgauge.client.plan import StreamFailed
from streamgauge.load import plugin
from streamgauge.load.client import StreamClient
from streamgauge.load.option import Lines, Option
from streamgauge.load.own_options import declare_options
from streamgauge.load.users import StreamUser
from streamgauge.wire.messages import Pause

plugin.install()

__all__ = ["Lines", "Option", "Pause", "StreamClient", "StreamFailed", "StreamUser", "declare_options"]
