"""The default mix: mostly event listeners, some readers of JSON lines, a few downloads."""

from loadtests.download import Downloader
from loadtests.ndjson import NdjsonReader
from loadtests.sse import SseListener

SseListener.weight = 5
NdjsonReader.weight = 3
Downloader.weight = 2

__all__ = ["Downloader", "NdjsonReader", "SseListener"]
