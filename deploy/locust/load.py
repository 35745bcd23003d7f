"""Starts a run through the Locust master's web interface, shows how it goes, and says how it went: ``make load``.

The exit status is the verdict's, where the master writes its results to a folder that this process sees (0 passed,
1 failed, 3 not to be trusted); else 0 when streams ended and none failed, and 1 otherwise. It is 2 when there is no run
to be had, and 130 when a second Ctrl-C left a run to itself. Standard library only: it runs in the master's container.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

POLL_S = 2.0
RESULT_S = 15.0
GRACE_S = 60.0
TIMEOUT_S = 10.0
IDLE = ("ready", "stopped")


class MasterError(Exception):
    """The master cannot be reached, or refuses."""


class Master:
    """Locust's web interface at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ask(self, path: str, fields: dict[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """GET, or POST with fields; the answer's JSON object. Raises MasterError."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            with urllib.request.urlopen(self.url + path, data, timeout_s) as reply:
                answer = json.load(reply)
        except (OSError, ValueError) as error:
            raise MasterError(f"{self.url}{path}: {error}") from error
        if answer.get("success") is False:
            raise MasterError(f"{self.url}{path}: {answer.get('message')}")
        return answer  # type: ignore[no-any-return]

    def start(self, users: int, spawn_rate: float, seconds: int) -> None:
        """Starts a run on the host that the master was given."""
        self.ask("/swarm", {"user_count": str(users), "spawn_rate": f"{spawn_rate:g}", "run_time": f"{seconds}s"})

    def stop(self) -> None:
        """Stops the run. Locust answers once its streams have ended."""
        self.ask("/stop", {}, GRACE_S)

    def stats(self) -> dict[str, Any]:
        """What Locust's own page shows."""
        return self.ask("/stats/requests")


def follow(master: Master, seconds: int) -> dict[str, Any]:
    """Shows the run until it stopped; its last statistics. Raises MasterError when it does not stop in time."""
    deadline = time.monotonic() + seconds + GRACE_S
    while time.monotonic() < deadline:
        time.sleep(POLL_S)
        stats = master.stats()
        total = stats["stats"][-1]
        say(f"{stats['state']:>9}  {stats['user_count']:>5} users  {total['num_requests']:>7} streams ended  "
            f"{total['num_failures']:>5} failed")  # fmt: skip
        if stats["state"] in IDLE:
            return stats
    raise MasterError(f"{master.url}: expected the run to stop within {seconds + GRACE_S:g} s, got {stats['state']!r}")


def table(stats: dict[str, Any]) -> str:
    """One line a name, and one a kind of failure. Locust's response time is the stream's duration.

    Mean and maximum are exact; Locust rounds its percentiles, so the dashboard and the result have those.
    """
    names = [f"{row['method'] or ''} {row['name']}".strip() for row in stats["stats"]]
    width = max(map(len, names))
    lines = [f"{'name':<{width}} {'streams':>8} {'failed':>7} {'duration mean':>14} {'max':>10}"]
    for name, row in zip(names, stats["stats"], strict=True):
        mean_ms, max_ms = row["avg_response_time"] or 0, row["max_response_time"] or 0
        lines.append(
            f"{name:<{width}} {row['num_requests']:>8} {row['num_failures']:>7} {mean_ms:>11.0f} ms {max_ms:>7.0f} ms"
        )
    lines += [f"{error['occurrences']} × {error['name']}: {error['error']}" for error in stats["errors"]]
    return "\n".join(lines)


def results(folder: Path) -> set[Path]:
    """The results of all runs so far. A run is written in full once its report is there, which comes last."""
    return {report.with_name("result.json") for report in folder.glob("*/report.html")}


def new_result(folder: Path, before: set[Path]) -> Path | None:
    """The result that was not there before, once it is written; None where none comes."""
    deadline = time.monotonic() + RESULT_S
    while folder.is_dir() and time.monotonic() < deadline:
        for path in results(folder) - before:
            return path
        time.sleep(POLL_S / 4)
    return None


def verdict(path: Path) -> int:
    """Says the verdict of a result, and gives its exit status."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["verdict"]
    status = int(found["exit_code"])
    say(
        f"{'passed' if status == 0 else 'failed' if status == 1 else 'not to be trusted'}; measurement {found['trust']}"
    )
    for reason in found["reasons"]:
        say(f"  - {reason}")
    say(f"{path.parent}: report.html, result.json")
    return status


def run(options: argparse.Namespace) -> int:
    """A whole run. Interrupted, it stops the load."""
    master, before = Master(options.master), results(options.results)
    found = master.stats()
    if found["state"] not in IDLE:
        raise MasterError(f"{master.url}: a run is under way there ({found['state']}); stop it, or wait for its end")
    if found.get("worker_count", 1) == 0:
        raise MasterError(f"{master.url}: expected a connected worker, got none")
    master.start(options.users, options.spawn_rate or options.users / 5, options.seconds)
    try:
        stats = follow(master, options.seconds)
    except KeyboardInterrupt:
        say("Stopping: streams under way may end first. Ctrl-C again leaves the run to itself.")
        master.stop()
        stats = follow(master, 0)
    say(table(stats))
    written = new_result(options.results, before)
    if written:
        return verdict(written)
    total = stats["stats"][-1]
    return 0 if total["num_requests"] and not total["num_failures"] else 1


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def positive(text: str) -> int:
    """An option's value: a whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="load.py", description=__doc__)
    parser.add_argument("--master", default="http://127.0.0.1:8089", metavar="URL", help="Locust's web interface")
    parser.add_argument("--users", type=positive, default=100, help="concurrent users")
    parser.add_argument("--spawn-rate", type=positive, metavar="N", help="users to start per second; all within 5 s")
    parser.add_argument("--seconds", type=positive, default=60, help="how long the run lasts")
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER", help="the master's results")
    try:
        return run(parser.parse_args())
    except MasterError as error:
        sys.stderr.write(f"load.py: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("load.py: interrupted; what the run measured is with the master\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
