"""The end of a process by a signal: the handlers before stay in force, and what must run before the end does."""

import signal
import subprocess
import sys
import threading

import pytest

from streamgauge.asgi.process_end import watch_signals


def run(code, *signals):
    """Run code that prints a line when it is ready for a signal; return its exit status and the lines after that."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            for number in signals:
                process.send_signal(number)
            lines = process.stdout.read().splitlines()
        except BaseException:
            process.kill()
            raise
    return process.returncode, lines


WAIT = """
print("ready", flush=True)
import time
while True:
    time.sleep(0.01)
"""
WATCH = """
import os, signal
from streamgauge.asgi.process_end import *
at_end(lambda: os.write(1, b"last act\\n"))
"""


def test_a_signal_that_kills_lets_the_last_acts_run_and_still_kills():
    status, lines = run(WATCH + "watch_signals()" + WAIT, signal.SIGTERM)
    assert (status, lines) == (-signal.SIGTERM, ["last act"])


def test_the_last_acts_run_at_an_ordinary_exit_and_once():
    done = subprocess.run([sys.executable, "-c", WATCH + "watch_signals()"], capture_output=True, text=True, check=True)
    assert done.stdout == "last act\n"


def test_an_act_that_waits_for_a_lock_of_the_main_thread_does_not_keep_the_process():
    code = """
import threading
from streamgauge.asgi import process_end
process_end.LAST_ACTS_S = 0.1
lock = threading.Lock()
process_end.at_end(lambda: lock.acquire())
process_end.watch_signals()
with lock:
"""
    status, _ = run(code + WAIT.replace("\n", "\n    "), signal.SIGTERM)
    assert status == -signal.SIGTERM


def test_the_handler_before_is_called_unchanged_also_if_watched_twice():
    code = (
        WATCH
        + """
def handler(number, frame):
    os.write(1, f"{signal.Signals(number).name} {asked_to_end()}\\n".encode())
    os._exit(7)
signal.signal(signal.SIGTERM, handler)
watch_signals()
watch_signals()
"""
    )
    status, lines = run(code + WAIT, signal.SIGTERM)
    assert (status, lines) == (7, ["SIGTERM True"])


def test_a_handler_of_the_event_loop_is_kept():
    code = """
import asyncio, signal
from streamgauge.asgi.process_end import *
async def main():
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    watch_signals()
    print("ready", flush=True)
    await done.wait()
    print(asked_to_end())
asyncio.run(main())
"""
    assert run(code, signal.SIGTERM) == (0, ["True"])


def test_ctrl_c_is_still_a_keyboard_interrupt():
    code = (
        WATCH + "watch_signals()\ntry:" + WAIT.replace("\n", "\n    ") + "\nexcept KeyboardInterrupt:\n    print('int')"
    )
    assert run(code, signal.SIGINT) == (0, ["int", "last act"])


def test_an_ignored_signal_stays_ignored():
    code = WATCH + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwatch_signals()" + WAIT
    status, lines = run(code, signal.SIGTERM, signal.SIGKILL)
    assert (status, lines) == (-signal.SIGKILL, [])


def test_other_threads_watch_nothing():
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=watch_signals)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_temporary_metrics_directory_goes_at_a_signal_too(number, tmp_path):
    code = f"""
import os, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from streamgauge.asgi import prepare_multiprocess
prepare_multiprocess()
assert len(os.listdir(tempfile.tempdir)) == 1
"""
    run(code + WAIT, number)
    assert list(tmp_path.iterdir()) == []
