"""Calls of the kernel that what parses has no use for, and which are refused to it (seccomp(2)).

Strategy: a list of what is refused, since what Python and its libraries call differs from one
version to the next, while what nobody needs who reads a file and writes another is known: sockets,
other processes' memory, namespaces and mounts, keys, programs in the kernel, the clock, and typing
into the terminal. A refused call fails as if a right were lacking. The filter is classic BPF, in
which every test either returns or goes on to the next (:mod:`.bpf`). It holds for the calling
thread and what comes of it, and cannot be taken back.

Not libseccomp, whose bindings need that library on the machine: rights are given up by default,
with whatever is installed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterator

from .spawn_child import (
    BPF_JUMP_IF_EQUAL,
    BPF_LOAD_WORD,
    BPF_RETURN,
    SECCOMP_DATA_ARCHITECTURE,
    SECCOMP_DATA_NUMBER,
    SECCOMP_RET_ALLOW,
    SECCOMP_SET_MODE_FILTER,
    SOCK_FILTER,
    SOCK_FPROG,
    SYSTEM_CALLS,
    Refused,
)

Instruction = tuple[int, int, int, int]

# linux/bpf_common.h, linux/seccomp.h
BPF_AND, BPF_JUMP_IF_LEAST, BPF_JUMP_IF_SET = 0x54, 0x35, 0x45
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
"""Without it some kernels slow everything down, against leaks into other processes."""
FIRST, SECOND = 16, 24
"""Where arguments lie in what a filter sees: their low words, on machines that all are
little-endian."""

REFUSED = {
    # connections; what is open stays
    **{"socket": (41, 198), "connect": (42, 203), "bind": (49, 200)},
    # other processes
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{"kcmp": (312, 272), "pidfd_getfd": (438, 438)},
    # namespaces and mounts
    **{"unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39)},
    **{"pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428)},
    **{"move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431)},
    **{"fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442)},
    # programs and queues in the kernel, which have had many holes
    **{"bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282)},
    **{"io_uring_setup": (425, 425)},
    # keys
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)},
    # the machine
    **{"init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106)},
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142)},
    **{"swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60)},
    **{"settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266)},
    **{"adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162)},
    **{"syslog": (103, 116), "open_by_handle_at": (304, 265)},
}
"""Numbers on x86_64 (asm/unistd_64.h), and on machines that came later (asm-generic/unistd.h)."""
CLONE, CLONE3, IOCTL = (56, 220), (435, 435), (16, 29)
# As Linux numbers them (linux/socket.h, linux/net.h): to load Python's ``socket`` takes longer than
# all the rest that stands here.
AF_INET = 2
SOCK_STREAM = 1
SOCKET = REFUSED["socket"]
NEW_NAMESPACES = 0x7E020000
"""Flags of clone(2) that make namespaces."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""To type into a terminal, and to paste into it (ioctl_tty(2))."""
ACTIONS = "/proc/sys/kernel/seccomp/actions_avail"
"""What a filter may answer, where there are filters (Linux 4.14)."""
X32 = 0x40000000
"""From here on numbers of x86_64 are those of another way to call."""


def refuse_calls(*, serves: bool = False) -> bool:
    """Have the kernel refuse what parsing has no use for; the thread can gain no rights by now.

    ``serves`` leaves it to listen by TCP over IPv4. Returns whether this machine can: False for
    one whose numbers are not known, and for a kernel without seccomp. Raises Refused.
    """
    machine = platform.machine()
    if not can_refuse_calls():
        return False
    number = SYSTEM_CALLS[machine][1]
    lines = list(_program(machine, serves=serves))
    code = ctypes.create_string_buffer(b"".join(SOCK_FILTER.pack(*line) for line in lines))
    program = SOCK_FPROG.pack(len(lines), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    # Kernels before 4.17 know no flag.
    for flags in (SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0):
        if libc.syscall(number, SECCOMP_SET_MODE_FILTER, flags, program) == 0:
            return True
    if ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL):
        return False
    raise Refused(f"refusing calls to this process: {os.strerror(ctypes.get_errno())}")


def can_refuse_calls() -> bool:
    """Return whether the kernel has seccomp, and the numbers of this machine's calls are known."""
    is_known = platform.machine() in SYSTEM_CALLS and ctypes.sizeof(ctypes.c_void_p) == 8
    return is_known and os.path.exists(ACTIONS)  # noqa: PTH110


def _program(machine: str, *, serves: bool) -> Iterator[Instruction]:
    """Yield the filter for a machine."""
    column = 0 if machine == "x86_64" else 1
    refused = (BPF_RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM)
    number = (BPF_LOAD_WORD, 0, 0, SECCOMP_DATA_NUMBER)
    yield BPF_LOAD_WORD, 0, 0, SECCOMP_DATA_ARCHITECTURE
    yield BPF_JUMP_IF_EQUAL, 1, 0, SYSTEM_CALLS[machine][0]
    yield refused
    yield number
    if machine == "x86_64":
        yield BPF_JUMP_IF_LEAST, 0, 1, X32
        yield refused
    for name, numbers in REFUSED.items():
        if not (serves and name in ("socket", "bind")):
            yield BPF_JUMP_IF_EQUAL, 0, 1, numbers[column]
            yield refused
    # Its flags lie in memory, where no filter can look: the C library goes on with clone then.
    yield BPF_JUMP_IF_EQUAL, 0, 1, CLONE3[column]
    yield BPF_RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.ENOSYS
    yield BPF_JUMP_IF_EQUAL, 0, 4, CLONE[column]
    yield BPF_LOAD_WORD, 0, 0, FIRST
    yield BPF_JUMP_IF_SET, 0, 1, NEW_NAMESPACES
    yield refused
    yield number
    yield BPF_JUMP_IF_EQUAL, 0, 6, IOCTL[column]
    yield BPF_LOAD_WORD, 0, 0, SECOND
    for request in (TIOCSTI, TIOCLINUX):
        yield BPF_JUMP_IF_EQUAL, 0, 1, request
        yield refused
    yield number
    if serves:
        yield BPF_JUMP_IF_EQUAL, 0, 6, SOCKET[column]
        yield BPF_LOAD_WORD, 0, 0, FIRST
        yield BPF_JUMP_IF_EQUAL, 0, 3, AF_INET
        yield BPF_LOAD_WORD, 0, 0, SECOND
        yield BPF_AND, 0, 0, 0x0F  # what remains are flags of the descriptor
        yield BPF_JUMP_IF_EQUAL, 1, 0, SOCK_STREAM
        yield refused
    yield BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW
