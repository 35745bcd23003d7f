"""What can go wrong in a demo beside its streams."""

from streamgauge.demo.process import Child


class DemoError(Exception):
    """The demo cannot go on, because of ``child`` if one is given; its last words are shown."""

    def __init__(self, reason: str, child: Child | None = None) -> None:
        super().__init__(reason)
        self.child = child
