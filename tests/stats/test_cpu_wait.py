"""How long a thread waited for a CPU, as Linux counts it."""

import gc
import threading
from pathlib import Path

import pytest

from streamgauge.stats import cpu_wait
from streamgauge.stats.cpu_wait import CpuWait

THREAD = Path("/proc/thread-self/schedstat")
needs_account = pytest.mark.skipif(not THREAD.exists(), reason="this system keeps no account of waiting")


def open_files() -> int:
    """Count the files that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def account(tmp_path, monkeypatch):
    """A file that stands for the kernel's account of this thread."""
    path = tmp_path / "schedstat"
    monkeypatch.setattr(cpu_wait, "_SCHEDSTAT", path)
    return path


def test_the_wait_is_the_second_of_the_kernels_three_figures_and_is_read_again_each_time(account):
    account.write_text("111222333 444555666 777\n")
    wait = CpuWait()
    assert wait.ns() == 444_555_666
    account.write_text("5 60 7\n")
    assert wait.ns() == 60
    account.write_text("111222333000 18446744073709551615 18446744073709551615\n")
    assert wait.ns() == 18_446_744_073_709_551_615


@pytest.mark.parametrize("text", ["", "12\n", "none of it\n"])
def test_an_account_that_cannot_be_read_is_no_wait(account, text):
    account.write_text(text)
    assert CpuWait().ns() == 0


def test_a_system_without_an_account_knows_of_no_wait(account):
    assert CpuWait().ns() == 0


@needs_account
def test_it_is_the_wait_of_the_thread_that_asked():
    found = []

    def look() -> None:
        wait = CpuWait()
        before_ns = int(THREAD.read_text().split()[1])
        found.extend((before_ns, wait.ns(), int(THREAD.read_text().split()[1])))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == sorted(found)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list open files")
def test_the_account_is_closed_with_the_object(account):
    account.write_text("1 2 3\n")
    before = open_files()
    waits = [CpuWait() for _ in range(20)]
    assert open_files() >= before + 20
    del waits
    gc.collect()
    assert open_files() < before + 20
