"""Runs one stream over one socket: connect, send the request, read and time the chunks, and decide how it ended.

No Locust and no event loop here. An ``Exchange`` is driven by a ``Reactor``: the one in ``reactor`` stands on
``selectors``; the load layer brings one that stands on gevent's hub.
"""
