"""Mixed: users of all kinds at once, by weight. ``locustfile.py`` is the plain mix of three, without any options."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from locust import events
from locust.env import Environment

from loadtests import download, hang_up, multipart, ndjson, slow_reader, sse, websocket
from streamgauge.load import Lines, Option, StreamUser, declare_options

Value = TypeVar("Value")


class Mixed(StreamUser):
    """A user of a kind, which has its own path with ``--mixed-path``."""

    abstract = True
    kind = ""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if path := (self.value_of(PATHS) or {}).get(self.kind):
            self.options = replace(self.options, path=path)


class Sse(Mixed, sse.SseListener):
    """As in ``sse.py``."""

    kind = "sse"


class Ndjson(Mixed, ndjson.NdjsonReader):
    """As in ``ndjson.py``."""

    kind = "ndjson"


class Download(Mixed, download.Downloader):
    """As in ``download.py``."""

    kind = "download"


class WebSocket(Mixed, websocket.WebSocketListener):
    """As in ``websocket.py``."""

    kind = "websocket"


class Multipart(Mixed, multipart.PartWatcher):
    """As in ``multipart.py``."""

    kind = "multipart"


class Slow(Mixed, slow_reader.SlowReader):
    """As in ``slow_reader.py``."""

    kind = "slow_reader"


class Leaving(Mixed, hang_up.HangUp):
    """As in ``hang_up.py``."""

    kind = "hang_up"


KINDS: dict[str, type[Mixed]] = {
    each.kind: each for each in (Sse, Ndjson, Download, WebSocket, Multipart, Slow, Leaving)
}


def by_kind(read: Callable[[str], Value], separator: str, example: str) -> Callable[[str], dict[str, Value]]:
    """Make a reader of ``KIND=VALUE``, one or several."""

    def pairs(text: str) -> dict[str, Value]:
        parts = [part.strip().partition("=") for part in text.replace("\r", "").split(separator) if part.strip()]
        try:
            found = {kind.strip(): read(value.strip()) for kind, _, value in parts}
        except ValueError:
            found = {}
        if not found or not found.keys() <= KINDS.keys():
            raise ValueError(f"expected KIND=VALUE such as {example}, with kinds of {', '.join(KINDS)}, got {text!r}")
        return found

    return pairs


def weight(text: str) -> int:
    """Read a weight, a whole number."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError
    return int(text)


def path(text: str) -> str:
    """Read a path or a whole URL."""
    if not text.startswith(("/", "http:", "https:", "ws:", "wss:")):
        raise ValueError
    return text


WEIGHTS = Option(
    "--mixed-weights",
    "KIND=N,…",
    by_kind(weight, ",", "sse=5,ndjson=2"),
    "How many users of each kind to how many of the others; kinds that are not named have none",
    default="sse=5,ndjson=3,download=2,websocket=2,multipart=1,slow_reader=1,hang_up=1",
    label="Weights",
)
PATHS = Option(
    "--mixed-path",
    "KIND=PATH",
    by_kind(path, "\n", "sse=/events"),
    "Path of one kind, as --stream-path is that of all; repeat the option for several",
    Lines,
    label="Paths",
)
declare_options("Mixed", WEIGHTS, PATHS)


def weigh(environment: Environment, **_: Any) -> None:
    """Set the weights of this run, which the form can change from run to run."""
    parsed = environment.parsed_options
    if not getattr(parsed, "equal_weights", False):
        weights = WEIGHTS.value(parsed)
        for kind, user_class in KINDS.items():
            user_class.weight = weights.get(kind, 0)


events.test_start.add_listener(weigh)
