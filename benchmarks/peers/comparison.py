"""Compares load generators on one source of token streams, whose log is the truth.

AIPerf and GuideLLM run as users install and start them; --install makes their environments (about 1 and 6 GB). All
generators open all streams at once, read one answer on each, and run one after the other. The table shows, for each
figure, what the generator says and what the log of its own run says. CPU time is that of all its processes from the
first request to the last token, without its start and its report; memory is the most that they had.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peers.roster import FIRST, GAPS, GENERATORS, Figures, Generator, Installed, Load, Place, quantiles
from benchmarks.peers.tokenizer import write_tokenizer
from benchmarks.peers.watch import watched
from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, positive, write_figures
from benchmarks.testbed.server import ROOT, Server
from streamgauge.calibrate.truth import Stream, fetch
from streamgauge.runner.process import Child, python_module

SCHEMA = "streamgauge.benchmark.peers/1"
LOADS = ("50x20", "200x20", "400x50")
#: Time for the start and the report of a generator, beyond that of its streams.
SPARE_S = 400


class PeerError(RuntimeError):
    """A generator failed."""


def measure(generator: Generator, load: Load, environments: Path) -> dict[str, Any]:
    """Run one generator, and hold its figures against the log. Raises PeerError."""
    options = ("--tokens", str(load.tokens), "--rate", str(load.rate))
    with (
        tempfile.TemporaryDirectory() as name,
        Server(*python_module("benchmarks.peers.token_source", *options)) as source,
    ):
        files = Path(name)
        place = Place(source.url, write_tokenizer(files / "tokenizer"), environments, files)
        command, variables = generator.command(load, place), generator.environment(place)
        child = Child(generator.title, command, files / "output.log", variables, ROOT)
        try:
            with watched(child.pid) as use:
                child.wait(load.seconds + SPARE_S)
            figures = generator.figures(place)
        except (OSError, LookupError, ValueError, subprocess.TimeoutExpired) as error:
            raise PeerError(f"{generator.title} has no figures ({error!r}). Its last output:\n{child.tail()}") from None
        finally:
            child.end()
        streams = [each for each in fetch(source.url) if each.before_ns]
    begin_ns, end_ns = min(each.asked_ns for each in streams), max(each.after_ns[-1] for each in streams)
    return {
        "generator": generator.title,
        "seen": asdict(figures),
        "log": asdict(truth(streams)),
        "cpu_s": use.cpu_between_s(begin_ns, end_ns),
        "memory_bytes": use.most_bytes,
        "took_s": (end_ns - begin_ns) / 1e9,
    }


def truth(streams: Sequence[Stream]) -> Figures:
    """Return what the log says: gaps between sends, and the time from a request's arrival to its first token."""
    gaps_ns = [after - before for each in streams for before, after in pairwise(each.before_ns)]
    first_ns = [each.before_ns[0] - each.asked_ns for each in streams]
    return Figures(len(streams), quantiles(gaps_ns, GAPS), quantiles(first_ns, FIRST))


def table(load: Load, found: Sequence[dict[str, Any]]) -> Table:
    """Make the table of one load: seen / true, in ms."""
    shown = Table(title=f"{load.title} · seen / in the source's log, ms", title_justify="left")
    for column in ("generator", *(f"gaps {name}" for name in GAPS), *(f"first token {name}" for name in FIRST)):
        shown.add_column(column, justify="left" if column == "generator" else "right")
    for column in ("streams", "CPU, s", "memory, MB", "verdict"):
        shown.add_column(column, justify="right")
    for each in found:
        seen, log = each["seen"], each["log"]
        pairs = [
            (seen[kind][name], log[kind][name]) for kind, names in (("gaps", GAPS), ("first", FIRST)) for name in names
        ]
        shown.add_row(
            each["generator"],
            *(f"{value * 1000:.1f} / {true * 1000:.1f}" for value, true in pairs),
            f"{seen['streams']} / {log['streams']}",
            f"{each['cpu_s']:.1f}",
            f"{each['memory_bytes'] / 1e6:.0f}",
            seen["trust"] or "–",
        )
    return shown


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "streamgauge" / "peers"
    parser = argparse.ArgumentParser(prog="python -m benchmarks peers", description=__doc__)
    parser.add_argument(
        "--load", action="append", type=_load, metavar="STREAMSxRATE", help=f"default {', '.join(LOADS)}; repeat it"
    )
    parser.add_argument("--seconds", type=positive, default=10, help="length of each stream, default %(default)s")
    parser.add_argument(
        "--generator", action="append", choices=GENERATORS, help="run only this one; repeat the option for several"
    )
    parser.add_argument("--environments", type=Path, default=cache, metavar="DIR", help="default %(default)s")
    parser.add_argument("--install", action="store_true", help="install what is missing there first")
    add_output(parser)
    options = parser.parse_args(arguments)
    if not machine.supported():
        parser.error(f"this benchmark needs Linux's figures of process memory, got {sys.platform}")
    options.load = options.load or [_load(each) for each in LOADS]
    return options


def _load(text: str) -> tuple[int, float]:
    streams, _, rate = text.partition("x")
    try:
        found = int(streams), float(rate)
    except ValueError:
        found = 0, 0.0
    if not (0 < found[0] <= 10_000 and 0 < found[1] <= 10_000):
        raise argparse.ArgumentTypeError(f"expected streams and tokens a second, such as 50x20, got {text!r}")
    return found


def present(options: argparse.Namespace, console: Console) -> list[Generator]:
    """Return the generators that can run; install the others if asked to, else say how."""
    found = []
    for name in options.generator or GENERATORS:
        generator = GENERATORS[name]
        if generator.missing(options.environments) and isinstance(generator, Installed) and options.install:
            console.print(f"installing {generator.package}, which takes some minutes …")
            generator.install(options.environments)
        if generator.missing(options.environments):
            console.print(f"{generator.package} is not installed in {options.environments}; add --install")
        else:
            found.append(generator)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its tables and write its figures; return 1 if a generator failed."""
    options, console = parsed(arguments), Console(stderr=True, markup=False, highlight=False)
    failed, loads = False, []
    try:
        generators = present(options, console)
    except subprocess.CalledProcessError as error:
        console.print(f"benchmark ended: {error}")
        return 1
    before = machine.facts()
    for streams, rate in options.load:
        load, found = Load(streams, rate, options.seconds), []
        for generator in generators:
            began_s = time.monotonic()
            try:
                found.append(measure(generator, load, options.environments))
            except PeerError as error:
                failed = True
                console.print(str(error))
            console.print(f"{load.title}: {generator.title} took {time.monotonic() - began_s:.0f} s")
        loads.append({"load": asdict(load), "generators": found})
        Console(width=None if sys.stdout.isatty() else 160).print(table(load, found))
    for generator in generators:
        print(f"{generator.title}: {generator.what}.")
    facts = {"schema": SCHEMA, "benchmark": "peers", "machine": before, "versions": machine.versions()}
    packages = [each.package for each in generators if each.package]
    write_figures(options, {**facts, "packages": packages, "loads": loads})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
