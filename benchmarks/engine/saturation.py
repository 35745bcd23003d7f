"""Finds the rate at which a client can no longer keep up, and its timing errors at that rate."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.engine.roster import Client
from benchmarks.engine.trial import Load, TrialError
from benchmarks.testbed.rounds import value_at

#: The factor of each step, and the first rate's share of the rate at which the client would use a whole core.
FACTOR, HEADROOM = 1.4, 0.8
SEARCH_S = 1.5
MAX_STEPS = 12
BUSY_SHARE = 0.95
BEHIND_S = 0.1

Measure = Callable[[Client, Load], dict[str, Any]]


def search(
    clients: Sequence[Client],
    load: Load,
    rounds: int,
    step: Callable[[str], None],
    measured: Measure,
    failed: dict[str, str],
) -> dict[str, Any]:
    """Return by client the found rate, its limit, and each round's figures. ``failed`` is as in ``rounds``."""
    found: dict[str, Any] = {}
    for number in range(rounds + 1):
        for client in clients:
            step(f"saturated, round {number}: {client.title}" if number else f"{client.title}: raising the rate")
            if client.name in failed:
                continue
            try:
                if number:
                    there = replace(load, rate=found[client.name]["rate"])
                    found[client.name]["rounds"].append(measured(client, there))
                else:
                    found[client.name] = limit_of(client, load, measured)
            except TrialError as error:
                failed[client.name] = str(error)
    return {name: each for name, each in found.items() if each["rounds"]}


def limit_of(client: Client, load: Load, measured: Measure) -> dict[str, Any]:
    """Raise the rate until the client has no CPU time left, falls behind, or the source is late."""
    first = measured(client, replace(load, seconds=SEARCH_S))
    rate = load.rate / max(first["cpu_share"], 0.01) * HEADROOM
    limit = "none found"
    for _ in range(MAX_STEPS):
        seen = measured(client, replace(load, rate=rate, seconds=SEARCH_S))
        if cannot_follow(seen):
            limit = "client"
            break
        if not seen["undisturbed"]:
            limit = "source"
            break
        rate *= FACTOR
    return {"rate": rate, "limit": limit, "rounds": []}


def cannot_follow(seen: dict[str, Any]) -> bool:
    """Whether the client was saturated."""
    return bool(seen["cpu_share"] > BUSY_SHARE or seen["drained_s"] > BEHIND_S or value_at(seen, "source", "blocked"))
