"""What a process must do to itself before it becomes a command, or a keeper of something.

    holder PARENT                    make a network namespace, keep it, make sockets in it
    watch PARENT PROCESS             end PROCESS if PARENT ends before it
    enter REPORT USER NETWORK -- COMMAND ...   become a command in one that a holder keeps
    new REPORT -- COMMAND ...        become a command in a namespace that ends with it
    redirect REPORT CHANNEL -- COMMAND ...     become a command whose connections are watched

Strategy: each of these is a fresh interpreter that runs this file and nothing else of ours: only
a process of one thread may do such things to itself, and it is quick, and stands wherever the
package is installed. What only some of it needs is imported there: who parses takes the rest of it,
to give up rights, and starts with it.

A user namespace gives a normal user every right over a network namespace that is made in it
(user_namespaces(7)). The user is mapped to themselves: files, ``whoami`` and programs that
refuse to be run by root work as ever. The rights over the network, to record packets, to set up
interfaces and to make more networks, outlive the start of a command as ambient capabilities
(capabilities(7)).

The holder speaks with its parent over a socket, its standard input. When that closes, for
whatever reason, or the parent is gone, it ends every process that is still in the namespace;
with them and itself the kernel lets the namespace go.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import socket

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

# linux/if.h and linux/sockios.h
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
INTERFACE_REQUEST = struct.Struct("16sH14x")

# linux/capability.h: version 3 has two words for each set: effective, permitted, inheritable.
CAPABILITY_VERSION = 0x20080522
CAPABILITIES = struct.Struct("6I")
CAP_NET_ADMIN = 12
CAP_NET_RAW = 13
CAP_SYS_ADMIN = 21
KEPT = (CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN)
"""The last one is over what belongs to the user namespace alone: to make more networks in it."""
# linux/prctl.h
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2

REQUEST = struct.Struct("@iii")
"""A wish for a socket: family, type, protocol. The answer is an error number, with the socket
beside it if that is 0."""
ANSWER = struct.Struct("@i")
READY = b"ready"

# linux/seccomp.h, linux/prctl.h, linux/bpf_common.h
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_USER_NOTIF = 0x7FC00000
BPF_LOAD_WORD, BPF_JUMP_IF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
SECCOMP_DATA_NUMBER, SECCOMP_DATA_ARCHITECTURE = 0, 4
SOCK_FILTER = struct.Struct("HBBI")
SOCK_FPROG = struct.Struct("HP")
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, 317, 42),
    "aarch64": (0xC00000B7, 277, 203),
    "riscv64": (0xC00000F3, 277, 203),
}
"""For each machine its name in seccomp (linux/audit.h), and its numbers of seccomp and connect."""
GONE_WITHIN = 2.0
"""Seconds in which a process is gone after SIGKILL; what takes longer hangs in the kernel."""

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """A step that the kernel did not allow; the message says which."""


def call(step: str, function: str, *arguments: object) -> None:
    """Call a function of libc; raise Refused if it fails. Python 3.12 has some of these in os."""
    if getattr(_libc, function)(*arguments) != 0:
        raise Refused(f"{step}: {os.strerror(ctypes.get_errno())}")


def make_namespace() -> None:
    """Move this process, which has one thread, into a new user and network namespace.

    The user stays who they are, and loopback is up. Raises Refused.
    """
    user, group = os.geteuid(), os.getegid()
    call("making a user and network namespace", "unshare", CLONE_NEWUSER | CLONE_NEWNET)
    try:
        # user_namespaces(7): a group may be mapped by whoever cannot use it to drop rights.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
                file.write(text)
    except OSError as error:
        raise Refused(f"mapping the user into the namespace: {error.strerror}") from error
    bring_loopback_up()


def bring_loopback_up() -> None:
    """Bring up loopback of the namespace that this thread is in; raises Refused."""
    import fcntl
    import socket

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCSIFFLAGS, INTERFACE_REQUEST.pack(b"lo", IFF_UP))
    except OSError as error:
        raise Refused(f"bringing loopback up in the namespace: {error.strerror}") from error


def keep_rights() -> None:
    """Let the rights over the network outlive exec for a user other than root."""
    header = struct.pack("@Ii", CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(CAPABILITIES.size)
    call("reading capabilities", "capget", header, sets)
    words = list(CAPABILITIES.unpack(sets.raw))
    for capability in KEPT:
        words[2] |= 1 << capability
    call("keeping capabilities", "capset", header, CAPABILITIES.pack(*words))
    for capability in KEPT:
        arguments = [ctypes.c_ulong(n) for n in (PR_CAP_AMBIENT_RAISE, capability, 0, 0)]
        call("keeping capabilities", "prctl", PR_CAP_AMBIENT, *arguments)


def execute(command: list[str]) -> NoReturn:
    """Become ``command``, with signals as a shell would give them to it; raises OSError."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


# --- the holder ---


def hold(parent: int) -> None:
    """Keep a new namespace until the parent closes its end of our standard input, or is gone."""
    import socket

    channel = socket.socket(fileno=0)
    try:
        watched = os.pidfd_open(parent)
        make_namespace()
    except (Refused, OSError) as refusal:
        channel.send(str(refusal).encode())
        return
    references = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in ("user", "net")]
    socket.send_fds(channel, [READY], references)
    for reference in references:
        os.close(reference)
    try:
        _serve(channel, watched)
    finally:
        end_everything()


def _serve(channel: socket.socket, parent: int) -> None:
    """Make a socket for each wish, until there is nobody to wish."""
    import select
    import socket

    poller = select.poll()
    poller.register(channel, select.POLLIN)
    poller.register(parent, select.POLLIN)
    while parent not in dict(poller.poll()):
        wish = channel.recv(REQUEST.size)
        if not wish:
            return
        try:
            made = socket.socket(*REQUEST.unpack(wish))
        except OSError as error:
            channel.send(ANSWER.pack(error.errno))
            continue
        with made:
            socket.send_fds(channel, [ANSWER.pack(0)], [made.fileno()])


def end_everything() -> None:
    """Kill every other process of this network namespace, until there is none."""
    import select

    until = time.monotonic() + GONE_WITHIN
    while (others := _others()) and time.monotonic() < until:
        for process in others:
            with suppress(ProcessLookupError):  # it may have ended by itself
                signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select(others, [], [], 0.1)
        for process in others:
            os.close(process)


def _others() -> list[int]:
    """Return a descriptor of each other process that is in this network namespace."""
    ours = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  # a name that is a number is all we want
        if not name.isdecimal() or int(name) == os.getpid():
            continue
        try:
            # Opened before it is looked at: the number cannot come to mean another process.
            process = os.pidfd_open(int(name))
        except OSError:
            continue  # it has ended, or is a thread's number
        if _namespace_of(name) == ours:
            found.append(process)
        else:
            os.close(process)
    return found


def _namespace_of(process: str) -> int | None:
    try:
        return os.stat(f"/proc/{process}/ns/net").st_ino  # noqa: PTH116
    except OSError:
        return None  # another user's, a kernel thread, or it has ended


def watch(parent: int, process: int) -> None:
    """Wait until one of both ends, and end ``process`` if that was the parent.

    For a program with capabilities of its own, which loses PR_SET_PDEATHSIG as it starts.
    """
    import select

    try:
        watched = os.pidfd_open(process)
    except ProcessLookupError:
        return
    ended: list[int] = []
    with suppress(ProcessLookupError):  # the parent may have ended already
        ended, _, _ = select.select([watched, os.pidfd_open(parent)], [], [])
    if watched not in ended:
        signal.pidfd_send_signal(watched, signal.SIGTERM)


# --- commands ---


def enter(user: int, network: int) -> None:
    """Move into the namespaces of two descriptors; raises Refused."""
    call("entering the namespace", "setns", user, CLONE_NEWUSER)
    call("entering the namespace", "setns", network, CLONE_NEWNET)
    os.close(user)
    os.close(network)
    keep_rights()


def enter_new() -> None:
    """Move into a namespace of one's own; raises Refused."""
    make_namespace()
    keep_rights()


def watch_connections(channel: int) -> None:
    """Let whoever holds the other end of ``channel`` decide on each connect() from now on.

    The kernel asks them for this process and all that come of it (seccomp_unotify(2)). Such a
    process can gain no rights by exec any more. Raises Refused.
    """
    import platform
    import socket

    if platform.machine() not in SYSTEM_CALLS:
        raise Refused(f"watching connections: not known for {platform.machine()}")
    architecture, seccomp, connect = SYSTEM_CALLS[platform.machine()]
    program = (
        (BPF_LOAD_WORD, 0, 0, SECCOMP_DATA_ARCHITECTURE),
        (BPF_JUMP_IF_EQUAL, 0, 3, architecture),
        (BPF_LOAD_WORD, 0, 0, SECCOMP_DATA_NUMBER),
        (BPF_JUMP_IF_EQUAL, 0, 1, connect),
        (BPF_RETURN, 0, 0, SECCOMP_RET_USER_NOTIF),
        (BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(SOCK_FILTER.pack(*line) for line in program))
    filters = ctypes.create_string_buffer(SOCK_FPROG.pack(len(program), ctypes.addressof(code)))
    no_more = [ctypes.c_ulong(n) for n in (1, 0, 0, 0)]
    call("watching connections", "prctl", PR_SET_NO_NEW_PRIVS, *no_more)
    flags = ctypes.c_ulong(SECCOMP_FILTER_FLAG_NEW_LISTENER)
    listener = _libc.syscall(seccomp, SECCOMP_SET_MODE_FILTER, flags, filters)
    if listener < 0:
        raise Refused(f"watching connections: {os.strerror(ctypes.get_errno())}")
    with socket.socket(fileno=channel) as end:
        socket.send_fds(end, [READY], [listener])
    os.close(listener)


BEFORE = {"enter": enter, "new": enter_new, "redirect": watch_connections}
"""What is done before a process becomes a command, with descriptors as arguments."""


def become(kind: str, report: int, descriptors: list[int], command: list[str]) -> NoReturn:
    """Prepare, and become ``command``; tell ``report`` if that cannot be.

    ``report`` is a pipe that closes when the command has begun. What is written to it is an
    error number of exec, or the words of a refusal.
    """
    os.set_inheritable(report, False)
    try:
        BEFORE[kind](*descriptors)  # type: ignore[operator]
        execute(command)
    except Refused as refusal:
        os.write(report, str(refusal).encode())
    except OSError as error:
        os.write(report, str(error.errno).encode())
    os._exit(127)


def main(arguments: list[str]) -> None:
    kind, first, *rest = arguments
    if kind == "holder":
        hold(int(first))
    elif kind == "watch":
        watch(int(first), int(rest[0]))
    else:
        end = rest.index("--")
        become(kind, int(first), [int(one) for one in rest[:end]], rest[end + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
