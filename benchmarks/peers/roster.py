"""The load generators that are compared: how each is installed and started, and which of its figures are meant."""

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.peers import variables
from benchmarks.peers.token_source import MODEL
from benchmarks.testbed.server import ROOT, quantile_s
from streamgauge.report.result import Result
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.runs import results_in

GAPS, FIRST = ("p50", "p90", "p99"), ("p50", "p99")
_LOCUSTFILE = Path(__file__).with_name("chat_users.py")
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Load:
    """``streams`` at once, each with ``rate`` tokens a second for ``seconds``."""

    streams: int
    rate: float
    seconds: float

    @property
    def tokens(self) -> int:
        """Return the number of tokens in each stream."""
        return max(2, round(self.rate * self.seconds))

    @property
    def title(self) -> str:
        """Return the load in words."""
        return f"{self.streams} streams, {self.rate:g} tokens/s each, {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a generator runs: the source, a tokenizer, the folder of environments, and a folder for its files."""

    url: str
    tokenizer: Path
    environments: Path
    files: Path


@dataclass(slots=True)
class Figures:
    """What a generator says of its run. Times are in seconds."""

    streams: int
    gaps: dict[str, float]
    first: dict[str, float]
    trust: str = ""


def quantiles(values_ns: list[int], names: tuple[str, ...]) -> dict[str, float]:
    """Return the named percentiles in seconds."""
    return {name: quantile_s(values_ns, _QUANTILES[name]) for name in names}


@dataclass(frozen=True, slots=True)
class Generator(ABC):
    """A load generator."""

    title: str
    what: str
    """What its figures are, and what is unfair in them."""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """Return the pinned package to install, if it needs an environment of its own."""
        return ""

    def missing(self, _environments: Path) -> bool:
        """Whether it must be installed first."""
        return False

    def environment(self, _place: Place) -> dict[str, str]:
        """Return the variables of its process."""
        return environment_without_locust(self.variables)

    @abstractmethod
    def command(self, load: Load, place: Place) -> list[str]:
        """Return its command line, as its own documentation writes it."""

    @abstractmethod
    def figures(self, place: Place) -> Figures:
        """Read its figures from its files."""


@dataclass(frozen=True, slots=True)
class LocustClient(Generator):
    """A client in a Locust run: streamgauge's, or one of Locust's own, whose lines the scenario itself must time."""

    client: str = ""

    def environment(self, place: Place) -> dict[str, str]:
        """Return the variables that choose the client."""
        chosen = {variables.CLIENT: self.client, variables.SEEN_FILE: str(place.files / "seen.json")}
        return environment_without_locust({"PYTHONPATH": str(ROOT), **chosen})

    def command(self, load: Load, place: Place) -> list[str]:
        """Start all users at once; each reads one stream."""
        users = ("-u", load.streams, "-r", load.streams, "-t", f"{round(load.seconds) + 5}s", "--stop-timeout", "30s")
        options = ("--headless", "--only-summary", "-H", place.url, "--stream-result-dir", place.files)
        return [str(part) for part in locust_command(_LOCUSTFILE, *users, *options)]

    def figures(self, place: Place) -> Figures:
        """Read streamgauge's result, or what the scenario has noted."""
        noted = place.files / "seen.json"
        if noted.exists():
            return _noted(json.loads(noted.read_text()))
        return _measured(results_in(place.files)[0])


def _measured(result: Result) -> Figures:
    (stream,) = result["streams"]
    gaps, first = stream["chunk_interval"], stream["time_to_first_chunk"]
    seen = stream["outcomes"].get("completed", 0)
    return Figures(
        seen, {name: gaps[name] for name in GAPS}, {name: first[name] for name in FIRST}, result["verdict"]["trust"]
    )


def _noted(streams: list[list[int]]) -> Figures:
    gaps_ns = [after - before for _, *arrivals in streams for before, after in pairwise(arrivals)]
    first_ns = [arrivals[0] - start for start, *arrivals in streams if arrivals]
    return Figures(len(streams), quantiles(gaps_ns, GAPS), quantiles(first_ns, FIRST))


@dataclass(frozen=True, slots=True)
class Installed(Generator):
    """A package in an environment of its own, as its users install it."""

    name: str = ""
    version: str = ""

    @property
    def package(self) -> str:
        """Return the pinned package."""
        return f"{self.name}=={self.version}"

    def program(self, environments: Path) -> Path:
        """Return its program."""
        return environments / f"{self.name}-{self.version}" / "bin" / self.name

    def missing(self, environments: Path) -> bool:
        """Whether its environment lacks it."""
        return not self.program(environments).exists()

    def install(self, environments: Path) -> None:
        """Make its environment. Raises subprocess.CalledProcessError."""
        folder = self.program(environments).parents[1]
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        try:
            subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", self.package], check=True)
        except subprocess.CalledProcessError:
            self.program(environments).unlink(missing_ok=True)
            raise


class AIPerf(Installed):
    """AIPerf. Its inter chunk latency is the gap between two chunks."""

    __slots__ = ()

    def command(self, load: Load, place: Place) -> list[str]:
        """Keep ``streams`` requests in flight, one of each."""
        target = (
            "-m",
            MODEL,
            "-u",
            place.url,
            "--endpoint-type",
            "chat",
            "--streaming",
            "--tokenizer",
            place.tokenizer,
        )
        amount = ("--concurrency", load.streams, "--request-count", load.streams, "--isl", 8, "--osl", load.tokens)
        quiet = (
            "--no-gpu-telemetry",
            "--no-server-metrics",
            "--ui",
            "none",
            "--artifact-dir",
            place.files / "artifacts",
        )
        return [str(part) for part in (self.program(place.environments), "profile", *target, *amount, *quiet)]

    def figures(self, place: Place) -> Figures:
        """Read its summary, in which times are in ms."""
        found = json.loads((place.files / "artifacts" / "profile_export_aiperf.json").read_text())
        gaps, first = found["inter_chunk_latency"], found["time_to_first_token"]
        return Figures(first["count"], _seconds(gaps, GAPS), _seconds(first, FIRST))


class GuideLLM(Installed):
    """GuideLLM. Its inter token latency is the mean gap of a request, counted once for each of its tokens."""

    __slots__ = ()

    def command(self, load: Load, place: Place) -> list[str]:
        """Keep ``streams`` requests in flight, one of each."""
        options = {
            "--backend": f"kind=openai_http,target={place.url},model={MODEL}",
            "--profile": f"kind=concurrent,streams={load.streams}",
            "--constraint": f"kind=max_requests,count={load.streams}",
            "--tokenizer": f"kind=hf_auto,model={place.tokenizer}",
            "--data": f"kind=synthetic_text,prompt_tokens=8,output_tokens={load.tokens}",
            "--output": f"kind=json,path={place.files / 'guidellm.json'}",
        }
        pairs = [part for pair in options.items() for part in pair]
        return [str(self.program(place.environments)), "run", *pairs, "--disable-console"]

    def figures(self, place: Place) -> Figures:
        """Read its report, in which times are in ms."""
        metrics = json.loads((place.files / "guidellm.json").read_text())["benchmarks"][0]["metrics"]
        gaps, first = (metrics[name]["successful"] for name in ("inter_token_latency_ms", "time_to_first_token_ms"))
        return Figures(first["count"], _seconds(gaps["percentiles"], GAPS), _seconds(first["percentiles"], FIRST))


def _seconds(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, float]:
    return {name: found[name] / 1000 for name in names}


GENERATORS: dict[str, Generator] = {
    "streamgauge": LocustClient("streamgauge", "gaps between chunks, by kernel stamps", client="Streamgauge"),
    "aiperf": AIPerf(
        "AIPerf",
        "gaps between chunks (inter chunk latency), by the time at which its workers read them",
        {"HF_HUB_DISABLE_TELEMETRY": "1"},
        name="aiperf",
        version="0.13.0",
    ),
    "guidellm": GuideLLM(
        "GuideLLM",
        "the mean gap of each request (inter token latency), which hides single gaps",
        {"HF_HUB_OFFLINE": "1"},
        name="guidellm",
        version="0.8.1",
    ),
    "locust-fast": LocustClient(
        "Locust FastHttpUser", "gaps between lines, which the scenario must time itself", client="Fast"
    ),
    "locust-http": LocustClient("Locust HttpUser", "the same with requests", client="Requests"),
}
