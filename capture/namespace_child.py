"""What runs in a network namespace of its own: its holder, and whatever is started in it.

    holder PARENT                  make the namespace, keep it, make sockets in it when asked
    enter USER NETWORK REPORT -- COMMAND ...   run a command in one that a holder keeps
    new -- COMMAND ...             run a command in one that lives as long as the command

Strategy: a user namespace gives a normal user every right over a network namespace that is made
in it (user_namespaces(7)). Only a process of one thread may change its user namespace, so each
of these is a fresh interpreter that runs this file and nothing else of ours, which makes it
quick and lets it stand wherever the package is installed. The user is mapped to themselves:
files, ``whoami`` and programs that refuse to be run by root work as ever. The rights over the
network, to record packets and to set up interfaces, outlive the start of a command as ambient
capabilities (capabilities(7)).

The holder speaks with its parent over a socket, its standard input. When that closes, for
whatever reason, or the parent is gone, it ends every process that is still in the namespace;
with them and itself the kernel lets the namespace go.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

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
KEPT = (CAP_NET_ADMIN, CAP_NET_RAW)
# linux/prctl.h
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2

REQUEST = struct.Struct("@iii")
"""A wish for a socket: family, type, protocol. The answer is an error number, with the socket
beside it if that is 0."""
ANSWER = struct.Struct("@i")
READY = b"ready"
GONE_WITHIN = 2.0
"""Seconds in which a process is gone after SIGKILL; what takes longer hangs in the kernel."""

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """A step that the kernel did not allow; the message says which."""


def _call(step: str, function: str, *arguments: object) -> None:
    """Call a function of libc; raise Refused if it fails. Python 3.12 has some of these in os."""
    if getattr(_libc, function)(*arguments) != 0:
        raise Refused(f"{step}: {os.strerror(ctypes.get_errno())}")


def make_namespace() -> None:
    """Move this process, which has one thread, into a new user and network namespace.

    The user stays who they are, and loopback is up. Raises Refused.
    """
    user, group = os.geteuid(), os.getegid()
    _call("making a user and network namespace", "unshare", CLONE_NEWUSER | CLONE_NEWNET)
    try:
        # user_namespaces(7): a group may be mapped by whoever cannot use it to drop rights.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        raise Refused(f"mapping the user into the namespace: {error.strerror}") from error
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCSIFFLAGS, INTERFACE_REQUEST.pack(b"lo", IFF_UP))
    except OSError as error:
        raise Refused(f"bringing loopback up in the namespace: {error.strerror}") from error


def keep_rights() -> None:
    """Let the rights over the network outlive exec for a user other than root."""
    header = struct.pack("@Ii", CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(CAPABILITIES.size)
    _call("reading capabilities", "capget", header, sets)
    words = list(CAPABILITIES.unpack(sets.raw))
    for capability in KEPT:
        words[2] |= 1 << capability
    _call("keeping capabilities", "capset", header, CAPABILITIES.pack(*words))
    for capability in KEPT:
        arguments = [ctypes.c_ulong(n) for n in (PR_CAP_AMBIENT_RAISE, capability, 0, 0)]
        _call("keeping capabilities", "prctl", PR_CAP_AMBIENT, *arguments)


def execute(command: list[str]) -> NoReturn:
    """Become ``command``, with signals as a shell would give them to it; raises OSError."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


# --- the holder ---


def hold(parent: int) -> None:
    """Keep a new namespace until the parent closes its end of our standard input, or is gone."""
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
    ours = Path("/proc/self/ns/net").stat().st_ino
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
        return Path(f"/proc/{process}/ns/net").stat().st_ino
    except OSError:
        return None  # another user's, a kernel thread, or it has ended


# --- commands ---


def enter(user: int, network: int, report: int, command: list[str]) -> NoReturn:
    """Run ``command`` in the namespaces of two descriptors; tell ``report`` why it cannot be.

    ``report`` is a pipe that closes when the command has begun. What is written to it is an
    error number of exec, or the words of a refusal.
    """
    os.set_inheritable(report, False)
    try:
        _call("entering the namespace", "setns", user, CLONE_NEWUSER)
        _call("entering the namespace", "setns", network, CLONE_NEWNET)
        os.close(user)
        os.close(network)
        keep_rights()
        execute(command)
    except OSError as error:
        os.write(report, str(error.errno).encode())
    except Refused as refusal:
        os.write(report, str(refusal).encode())
    os._exit(127)


def run_in_new(command: list[str]) -> NoReturn:
    """Run ``command`` in a namespace of its own; end with one line if that cannot be."""
    try:
        make_namespace()
        keep_rights()
        execute(command)
    except Refused as refusal:
        sys.exit(str(refusal))
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def main(arguments: list[str]) -> None:
    kind, *rest = arguments
    command = rest[rest.index("--") + 1 :] if "--" in rest else []
    if kind == "holder":
        hold(int(rest[0]))
    elif kind == "enter":
        enter(int(rest[0]), int(rest[1]), int(rest[2]), command)
    else:
        run_in_new(command)


if __name__ == "__main__":
    main(sys.argv[1:])
