"""Lists the benchmarks, and runs the named ones, or all."""

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = {
    "engine": "CPU time per chunk and timing error: streamgauge, a minimal reader (floor), and other clients",
    "scale": "10 000 concurrent streams in one process: memory per stream, and lost streams",
    "short_streams": "CPU time of streams of 1 to 20 chunks: streamgauge, and Locust's FastHttpUser.get",
    "faults": "a source that fails in every way: whether each stream gets the right outcome",
    "trust": "whether the verdict is right: runs disturbed on purpose, each compared with the source's log",
    "undisturbed": "how often an undisturbed run is trusted: demos of 5 to 100 users, 10 to 30 s",
    "recorder": "cost of the server's instruments: an app without any, with streamgauge's, and with other tools'",
    "instructions": "instructions that the middleware executes for one chunk (needs valgrind)",
    "chunk_size": "cost by chunk size: the sample app's streams, 64 B to 1 MiB per chunk",
    "peers": "token streams: streamgauge, AIPerf, GuideLLM and Locust's own clients, beside the source's log",
    "chunk_interval": "chunk interval: a server's own log, streamgauge, and Locust's own clients",
}


#: Benchmarks that are packages: the module with their ``main``.
_MODULES = {"engine": "engine.comparison", "peers": "peers.comparison"}


def listed() -> str:
    """Return a line for each benchmark."""
    return "\n".join(f"  {name:<16}  {text}" for name, text in BENCHMARKS.items())


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run side-by-side measurements. For the options of one NAME: python -m benchmarks NAME --help",
        epilog=f"benchmarks:\n{listed()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="benchmarks to run, default all")
    parser.add_argument("--list", action="store_true", help="list the benchmarks, and run none")
    parser.add_argument("-o", "--output-dir", metavar="DIR", type=Path, help="write the figures to DIR/NAME.json")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"argument NAME: expected one of {', '.join(BENCHMARKS)}, got {unknown[0]!r}")
    return options


def run(name: str, arguments: list[str]) -> int:
    """Run one benchmark with its own options, and return its status."""
    status: int = importlib.import_module(f"benchmarks.{_MODULES.get(name, name)}").main(arguments)
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, and return the highest status."""
    first, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if first in BENCHMARKS and rest and rest[0].startswith("-"):
        return run(first, rest)
    options = parsed(arguments)
    print(f"Benchmarks:\n{listed()}\n", flush=True)
    if options.list:
        return 0
    if options.output_dir:
        options.output_dir.mkdir(parents=True, exist_ok=True)
    worst = 0
    for name in options.names or BENCHMARKS:
        output = ["-o", str(options.output_dir / f"{name}.json")] if options.output_dir else []
        worst = max(worst, run(name, output))
    return worst


if __name__ == "__main__":
    sys.exit(main())
