"""Lists the benchmarks, and runs those that are named, or all."""

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = {
    "engine": "CPU time a chunk and the error of its time: streamgauge, the bare floor, and other readers",
    "scale": "10 000 concurrent streams in one process: memory for each, and whether any is lost",
    "faults": "a source that fails in every way: whether each stream is taken for what it is",
    "trust": "whether the verdict can be believed: runs spoiled on purpose, each held against the source's log",
    "undisturbed": "how often a run that nothing disturbs is trusted: demos of 5 to 100 users, 10 to 30 s",
    "recorder": "what the server's instruments cost: an app without any, with streamgauge's, and with its peers'",
    "chunk_size": "what the size of a chunk costs: the sample app's streams, 64 B to 1 MiB a chunk",
    "chunk_interval": "the time between chunks: a server's own log, streamgauge, and Locust's own clients",
}


#: Benchmarks that are packages: the module with their ``main``.
_MODULES = {"engine": "engine.comparison"}


def listed() -> str:
    """A line for each benchmark."""
    return "\n".join(f"  {name:<16}  {text}" for name, text in BENCHMARKS.items())


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options. Exits with 2 on those that are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Side-by-side measurements. Options after one NAME are its own: python -m benchmarks NAME --help",
        epilog=f"benchmarks:\n{listed()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="benchmarks to run, default all")
    parser.add_argument("--list", action="store_true", help="list them, and run none")
    parser.add_argument("-o", "--output-dir", metavar="DIR", type=Path, help="write DIR/NAME.json")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"argument NAME: expected one of {', '.join(BENCHMARKS)}, got {unknown[0]!r}")
    return options


def run(name: str, arguments: list[str]) -> int:
    """Run one with its own options; its status."""
    status: int = importlib.import_module(f"benchmarks.{_MODULES.get(name, name)}").main(arguments)
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; the status is the worst of them."""
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
