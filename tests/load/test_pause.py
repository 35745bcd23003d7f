"""How a greenlet waits for a callback of the event loop."""

import subprocess
import sys

SCRIPT = """
import gevent
from streamgauge.load.pause import Pause

pause, said = Pause(), []


def waits(times):
    for number in range(times):
        pause.wait()
        said.append(number)


pause.end()
pause.end()
waits(1)  # an end before the wait, and only one
waiting = gevent.spawn(waits, 2)
gevent.sleep(0)
assert said == [0], said
pause.end()
pause.end()
gevent.sleep(0.01)
assert said == [0, 0], said
pause.end()
waiting.join(10)
assert said == [0, 0, 1], said

killed = gevent.spawn(waits, 1)
gevent.sleep(0)
killed.kill(block=False)
pause.end()  # before the loop has stopped it
sleeper = gevent.spawn(gevent.sleep, 0.05)
gevent.sleep(0.01)
assert killed.dead and not sleeper.dead and said == [0, 0, 1], said
print("as it should")
"""


def test_an_end_lets_one_wait_go_on_and_reaches_no_greenlet_that_waits_no_more():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("as it should\n", "")
