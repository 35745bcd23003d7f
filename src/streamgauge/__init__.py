"""streamgauge: load testing and performance monitoring for streaming HTTP."""

from importlib.metadata import version

__version__ = version("streamgauge")
__all__ = ["__version__"]
