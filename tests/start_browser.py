"""Starts Chromium with a pipe for its commands, and blind to the networks that come and go on the machine.

Chromium ends every request at hand with ERR_NETWORK_CHANGED, on loopback too, when an interface gets an address: each
container that another test starts brings one. It hears of them by netlink, and goes without where it may not open it.
"""

import ctypes
import os
import platform
import socket
import struct
import sys

#: The number of the system call ``socket``, by machine.
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
# From linux/filter.h, linux/seccomp.h and linux/prctl.h.
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
OFFSET_OF_CALL, OFFSET_OF_FIRST_ARGUMENT = 0, 16
ALLOW, FAIL_WITH_EACCES = 0x7FFF0000, 0x0005000D
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38


class Program(ctypes.Structure):
    """A filter of system calls: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_netlink() -> None:
    """Have every further netlink socket of this process, and of what it becomes, refused with EACCES."""
    # Each: what to do, how far to jump if it is so and if not, with what value.
    instructions = (
        (LOAD, 0, 0, OFFSET_OF_CALL),
        (JUMP_IF_EQUAL, 0, 3, SOCKET_CALL[platform.machine()]),
        (LOAD, 0, 0, OFFSET_OF_FIRST_ARGUMENT),
        (JUMP_IF_EQUAL, 0, 1, socket.AF_NETLINK),
        (RETURN, 0, 0, FAIL_WITH_EACCES),
        (RETURN, 0, 0, ALLOW),
    )
    program = Program(len(instructions), b"".join(struct.pack("=HBBI", *each) for each in instructions))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for asked in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))):
        if prctl(*asked):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


if __name__ == "__main__":
    commands, answers, *browser = sys.argv[1:]
    # Chromium reads its commands from descriptor 3 and answers on 4.
    os.dup2(int(commands), 3)
    os.dup2(int(answers), 4)
    if platform.machine() in SOCKET_CALL:
        refuse_netlink()
    os.execvp(browser[0], browser)
