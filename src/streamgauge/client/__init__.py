"""One stream at a time over a socket of its own: connect, ask, read, time, and judge how it ended.

No Locust and no event loop here. An ``Exchange`` is driven by a ``Reactor``: the one in ``reactor`` stands on
``selectors``; the load layer brings one that stands on gevent's hub.
"""
