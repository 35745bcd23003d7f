"""Mixed: users of all kinds at once, by weight. ``locustfile.py`` is the plain mix of three, without any options."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from locust import events
from locust.env import Environment

from loadtests import chat, download, hang_up, multipart, ndjson, slow_reader, sse, websocket
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


class Chat(Mixed, chat.Chatter):
    """As in ``chat.py``."""

    kind = "chat"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # A chat sends the same request to any path, so that its path is not one of ``play``.
        self.path, self.options = self.options.path or self.path, replace(self.options, path=None)


KINDS: dict[str, type[Mixed]] = {
    each.kind: each for each in (Sse, Ndjson, Download, WebSocket, Multipart, Slow, Leaving, Chat)
}


def by_kind(read: Callable[[str], Value | None], separator: str, what: str) -> Callable[[str], dict[str, Value]]:
    """Make a reader of ``KIND=VALUE``, one or several; ``read`` returns None for what is no value."""

    def pairs(text: str) -> dict[str, Value]:
        parts = [part.partition("=") for part in text.split(separator) if part.strip()]
        found = {kind.strip(): read(value.strip()) for kind, _, value in parts}
        values = {kind: value for kind, value in found.items() if value is not None and kind in KINDS}
        if values != found or not any(values.values()):
            raise ValueError(f"expected {what}, with kinds of {', '.join(KINDS)}, got {text!r}")
        return values

    return pairs


def weight(text: str) -> int | None:
    """Read a weight, a whole number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def path(text: str) -> str | None:
    """Read a path or a whole URL."""
    return text if text.startswith(("/", "http:", "https:", "ws:", "wss:")) else None


WEIGHTS = Option(
    "--mixed-weights",
    "KIND=N,…",
    by_kind(weight, ",", "KIND=N such as sse=5,ndjson=2"),
    "Users of each kind in proportion to the others; kinds that are not named have none",
    default="sse=5,ndjson=3,download=2,websocket=2,multipart=1,slow_reader=1,hang_up=1,chat=1",
    label="Weights",
)
PATHS = Option(
    "--mixed-path",
    "KIND=PATH",
    by_kind(path, "\n", "KIND=PATH such as sse=/events"),
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
