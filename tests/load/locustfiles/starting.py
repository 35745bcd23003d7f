"""Prints what becomes of users some of whom are slow to be made, as a worker and as a single process start them.

Run in a process of its own. Each case returns the names of the users that have started, in that order.
"""

import json
import logging

import gevent
from locust import User, constant
from locust.env import Environment
from locust.event import Events

from streamgauge.load.run.dispatch import evenly, joining
from streamgauge.load.run.starting_users import StartingUsers

SLICES = 4


class Visitor(User):
    """The second one of those that are made takes long until ``ready`` is set; the one of number ``bad`` fails."""

    wait_time = constant(60)
    made, bad = 0, None

    def __init__(self, environment):
        super().__init__(environment)
        Visitor.made += 1
        self.number = Visitor.made
        if self.number == Visitor.bad:
            raise RuntimeError(f"no login for {self.number}")
        if self.number == 2:
            READY.wait()

    def run(self):
        STARTED.append(self.number)
        gevent.sleep(60)


STARTED, READY = [], gevent.event.Event()


def new_runner(*, joined):
    STARTED.clear()
    READY.clear()
    Visitor.made, Visitor.bad = 0, None
    environment = Environment(user_classes=[Visitor], events=Events())
    environment.dispatcher_class = evenly(environment.dispatcher_class, lambda: False)
    runner = environment.create_local_runner()
    starting = StartingUsers(runner, joined=joined)
    environment.dispatcher_class = joining(environment.dispatcher_class, starting.join)
    return runner


def ask(runner, count):
    """Do what a worker does with a message that asks for so many users; return whether they are all there."""

    def start_worker():
        wanted = count - runner.user_classes_count["Visitor"]
        runner.spawn_users({"Visitor": wanted} if wanted > 0 else {})

    asking = gevent.spawn(start_worker)
    asking.join(0.02)
    done = asking.ready()
    asking.kill()
    gevent.sleep(0)
    return done


def as_a_worker():
    """Get a message for each slice, which ends the handling of the one before."""
    runner = new_runner(joined=True)
    there = [ask(runner, 3 * number) for number in range(1, SLICES + 1)]
    early = list(STARTED)
    READY.set()
    there.append(ask(runner, 3 * SLICES))
    found = {"early": early, "all": list(STARTED), "there": there}
    runner.quit()
    return found


def with_fewer(count):
    """Get a message for fewer users than are there or being made."""
    runner = new_runner(joined=True)
    ask(runner, 3)
    ask(runner, count)
    READY.set()
    gevent.sleep(0.02)
    found = list(STARTED)
    runner.quit()
    return found


def stopped():
    """Stop while a user is being made."""
    runner = new_runner(joined=True)
    ask(runner, 3)
    runner.stop()
    READY.set()
    gevent.sleep(0.02)
    return list(STARTED)


def failing():
    """Let a user fail in the first slice."""
    runner, logged = new_runner(joined=True), []
    logging.getLogger("locust.runners").addHandler(handler := logging.Handler())
    handler.emit = lambda record: logged.append(record.getMessage())
    READY.set()
    Visitor.bad = 3
    for count in (4, 8):
        ask(runner, count)
    runner.quit()
    return {"started": list(STARTED), "unhandled": sum("Unhandled exception" in each for each in logged)}


def alone():
    """Ramp in one process, up to more users than one slice has."""
    runner, spawned = new_runner(joined=False), []
    runner.environment.events.spawning_complete.add_listener(lambda user_count: spawned.append(user_count))
    runner.start(160, 400)
    while len(STARTED) < 159:
        gevent.sleep(0.01)
    early = 2 in STARTED, list(spawned)
    READY.set()
    runner.spawning_greenlet.join()
    found = {"early": early, "last": STARTED[-1], "spawned": spawned}
    runner.quit()
    return found


if __name__ == "__main__":
    found = {"worker": as_a_worker(), "fewer": [with_fewer(count) for count in (1, 2)], "stopped": stopped()}
    print(json.dumps({**found, "failing": failing(), "alone": alone()}))
