"""Compares the measuring engine with other readers of event streams: CPU time per chunk, and timing errors.

All clients run in turn, round after round, so that other activity on the machine affects all; ratios are of one round.
Each client is compared with the log of the paced source in its own run.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.engine import figures, saturation, tables
from benchmarks.engine.roster import CLIENTS, ENGINE, Client
from benchmarks.engine.trial import Load, Trial, TrialError, run_trial
from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, positive, whole, write_figures
from benchmarks.testbed.rounds import wide_console

SCHEMA = "streamgauge.benchmark.engine/1"
#: A trial is repeated this often if the source was late although the client was not.
RETRIES = 2

Say = Callable[[str], None]


def main(arguments: list[str] | None = None) -> int:
    """Run the rounds, print the tables and write the figures."""
    options = parsed(arguments)
    console = Console(stderr=True)
    report = header(options)
    clients = [CLIENTS[name] for name in options.clients if not CLIENTS[name].missing]
    how = (options.seconds, options.event_bytes, options.pin)
    loads = [Load(options.streams, rate, *how, awake=options.awake) for rate in options.rate]
    busy = [replace(loads[-1], backlog=True)] if options.busy else []
    loads = [*busy, *(loads if options.paced else ())]
    failed: dict[str, str] = report["failed"]
    with _Steps(console, steps(options, clients)) as step:
        report["loads"] = [
            {
                "title": load.title,
                "rate": load.rate,
                "backlog": load.backlog,
                "chunks": load.chunks * load.streams,
                "rounds": rounds(clients, load, options.rounds, step, failed),
            }
            for load in loads
        ]
        if options.saturate:
            timing = [client for client in clients if client.times_events and client.name not in failed]
            report["saturated"] = saturation.search(
                timing, replace(loads[-1], backlog=False), options.rounds, step, complete, failed
            )
    report["machine"]["load_average_at_end"] = machine.facts()["load_average"]
    report["summary"] = tables.summaries(report)
    tables.show(report, wide_console())
    write_figures(options, report)
    for why in failed.values():
        console.print(why, markup=False, highlight=False)
    return 1 if failed else 0


def header(options: argparse.Namespace) -> dict[str, Any]:
    """Return the facts about the benchmark and the machine."""
    return {
        "schema": SCHEMA,
        "benchmark": "engine",
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": {
            "rounds": options.rounds,
            "streams": options.streams,
            "seconds": options.seconds,
            "event_bytes": options.event_bytes,
            "cores": machine.cores() if options.pin else None,
            "awake": options.awake,
        },
        "machine": machine.facts(),
        "versions": machine.versions(),
        "skipped": {name: CLIENTS[name].missing for name in options.clients if CLIENTS[name].missing},
        "failed": {},
    }


def steps(options: argparse.Namespace, clients: list[Client]) -> int:
    """Return the number of trials without repetitions; a search for saturation counts as one."""
    count: int = (len(options.rate) * options.paced + options.busy) * options.rounds * len(clients)
    if options.saturate:
        count += sum(client.times_events for client in clients) * (1 + options.rounds)
    return count


def rounds(clients: list[Client], load: Load, count: int, step: Say, failed: dict[str, str]) -> list[dict[str, Any]]:
    """Run each client ``count`` times in turn; return the figures of each round by client.

    If a client fails, put its message into ``failed``, and do not run it again.
    """
    found = []
    for number in range(1, count + 1):
        this: dict[str, Any] = {}
        for client in clients:
            step(f"{load.title}, round {number}: {client.title}")
            if client.name not in failed:
                try:
                    this[client.name] = complete(client, load)
                except TrialError as error:
                    failed[client.name] = str(error)
        found.append(this)
    return found


def complete(client: Client, load: Load) -> dict[str, Any]:
    """Return a client's figures; the engine's include its accuracy, from a separate trial. Raises TrialError."""
    found = measured(client, load)
    if client.name == ENGINE and not load.backlog:
        found["accuracy"] = measured(client, load, timed=True)
    return found


def measured(client: Client, load: Load, *, timed: bool = False) -> dict[str, Any]:
    """Return one trial's figures; repeat the trial if the source was disturbed. Raises TrialError."""
    figures_of: Callable[[Trial], dict[str, Any]] = figures.accuracy if timed else figures.cost
    attempts, found = 0, {"undisturbed": False}
    while not found["undisturbed"] and attempts <= RETRIES:
        attempts += 1
        trial = run_trial(client, load, timed=timed)
        try:
            found = figures_of(trial)
        except ValueError as error:
            raise TrialError(str(error)) from None
    return found | {"attempts": attempts}


class _Steps:
    """Shows progress; a context manager that gives a function to call at each step."""

    def __init__(self, console: Console, total: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._bar.add_task("starting", total=total)
        self._begun = False

    def __enter__(self) -> Say:
        self._bar.start()
        return self._step

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._bar.update(self._task, completed=self._bar.tasks[0].total, description="done")
        self._bar.stop()

    def _step(self, text: str) -> None:
        if self._begun:
            self._bar.advance(self._task)
        self._begun = True
        self._bar.update(self._task, description=text)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks engine", description=__doc__, epilog=f"clients: {', '.join(CLIENTS)}"
    )
    parser.add_argument("--rounds", type=whole, default=5, help="rounds, default %(default)s")
    parser.add_argument("--streams", type=whole, default=200, help="concurrent streams, default %(default)s")
    parser.add_argument(
        "--rate",
        type=_rates,
        default="4000",
        metavar="R,R…",
        help="chunks per second over all streams, default %(default)s",
    )
    parser.add_argument(
        "--seconds", type=positive, default=5, help="duration of each run's steady phase, default %(default)s"
    )
    parser.add_argument("--event-bytes", type=whole, default=100, help="size of an event, default %(default)s")
    parser.add_argument(
        "--clients",
        type=_names,
        default=",".join(CLIENTS),
        metavar="A,B…",
        help="clients to compare, default all that are installed",
    )
    parser.add_argument("--no-busy", dest="busy", action="store_false", help="leave out the load with a backlog")
    parser.add_argument("--no-paced", dest="paced", action="store_false", help="leave out the paced loads")
    parser.add_argument("--saturate", action="store_true", help="also raise each client's rate until it cannot keep up")
    parser.add_argument("--no-pin", dest="pin", action="store_false", help="do not pin source and client to cores")
    parser.add_argument("--let-sleep", dest="awake", action="store_false", help="let the core of a pinned client sleep")
    add_output(parser)
    options = parser.parse_args(arguments)
    if not (options.busy or options.paced):
        parser.error("arguments --no-busy and --no-paced: expected at most one of them, got both")
    if not machine.supported():
        parser.error(f"this benchmark needs Linux's clocks and sockets, got {sys.platform}")
    return options


def _rates(text: str) -> list[float]:
    return [positive(part) for part in text.split(",")]


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in CLIENTS]:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(CLIENTS)}, got {unknown[0]!r}")
    return list(dict.fromkeys(names))


if __name__ == "__main__":
    sys.exit(main())
