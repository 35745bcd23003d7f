"""The browser of the tests: it does not hear of networks that come and go, and reaches those that are there."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.start_browser import SOCKET_CALL

STARTER = Path(__file__).with_name("start_browser.py")


@pytest.mark.skipif(platform.machine() not in SOCKET_CALL, reason="no filter for this machine")
@pytest.mark.parametrize(("family", "opens"), [("AF_NETLINK", False), ("AF_INET", True), ("AF_UNIX", True)])
def test_what_it_starts_may_open_any_socket_but_netlink(family, opens):
    opened = f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)"
    pipe = os.pipe()
    command = [sys.executable, str(STARTER), *map(str, pipe), sys.executable, "-c", opened]
    ended = subprocess.run(command, pass_fds=pipe, capture_output=True, text=True, timeout=60, check=False)
    for each in pipe:
        os.close(each)
    assert (ended.returncode == 0) is opens, ended.stderr
    assert ("PermissionError" in ended.stderr) is not opens
