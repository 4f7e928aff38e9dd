"""A command whose connections to one port go to another, which it does not know of.

    with Redirect(8000, relay.port) as redirect:
        run_command(["curl", "http://127.0.0.1:8000/"], popen=redirect.popen)

Strategy: the kernel asks us about each connect() of the command and of all that come of it
(seccomp user notification). If it is to ``port`` of this machine we take a copy of the socket and
connect that: for the command the call has done what it asked for. Where somebody listens on
``port``, it goes to where it shall go; else to a port where nobody ever listens, so that it is
refused. It is not left to go on by itself: by then somebody might listen, and would be reached
unseen. Every other call goes on as it is. So the command needs no setting, and
what it sends is to the letter what it would have sent.

A command that asks the kernel by io_uring, or is of another architecture than we, is not seen.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import spawn_child
from .listening import is_listening
from .spawn import SpawnRefused, spawn

# linux/seccomp.h: struct seccomp_notif is id, pid, flags, and of the call its number,
# architecture, instruction pointer and six arguments.
NOTIFICATION = struct.Struct("@QII iIQ6Q")
# struct seccomp_notif_resp: id, value, error, flags.
RESPONSE = struct.Struct("@QqiI")
SECCOMP_IOCTL_NOTIF_RECV = 0xC0502100
SECCOMP_IOCTL_NOTIF_SEND = 0xC0182101
SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102
IDENTIFIER = struct.Struct("@Q")
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
PIDFD_GETFD = 438
"""The number of pidfd_getfd(2), on every architecture."""

# struct sockaddr_in and sockaddr_in6, as far as it matters.
IPV4_ADDRESS = struct.Struct("!2xH4s")
IPV6_ADDRESS = struct.Struct("!2xH4x16s")
FAMILY = struct.Struct("@H")
MAX_ADDRESS = 28
PATIENCE = 1.0
"""Seconds in which whom a rule of the firewall leads to has to answer."""
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::ffff:127.0.0.1"}

_libc = ctypes.CDLL(None, use_errno=True)


class Redirect:
    """Redirect connections to ``port`` of this machine to ``target``, of what ``popen`` starts."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._listeners: list[threading.Thread] = []
        self._stop = os.eventfd(0)
        self._nobody = socket.socket()
        """It has a port, and does not listen there."""
        self._nobody.bind((LOOPBACK[socket.AF_INET], 0))

    @staticmethod
    def available() -> str | None:
        """Try it with a command; return None, or the reason why it cannot be."""
        with Redirect(1, 1) as redirect:
            try:
                redirect.popen(["true"]).wait()
            except (SpawnRefused, OSError) as error:
                return str(error)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.eventfd_write(self._stop, 1)
        for thread in self._listeners:
            thread.join()
        os.close(self._stop)
        self._nobody.close()

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command, as ``subprocess.Popen`` does; raises SpawnRefused beside OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            # The command's first connect() waits for us: it may come before this returns.
            thread = threading.Thread(target=self._answer, args=(ours.dup(),), daemon=True)
            self._listeners.append(thread)
            thread.start()
            return spawn("redirect", (theirs.fileno(),), command, options)

    # --- the thread ---

    def _goal(self) -> int:
        """Return the port that a connection goes to."""
        if is_listening(self._port) or self._is_forwarded:
            return self._target
        nobody: int = self._nobody.getsockname()[1]
        return nobody

    @cached_property
    def _is_forwarded(self) -> bool:
        """Whether the port can be reached though nobody listens: by a rule of the firewall."""
        try:
            socket.create_connection((LOOPBACK[socket.AF_INET], self._port), PATIENCE).close()
        except OSError:
            return False
        return not is_listening(self._port)

    def _answer(self, channel: socket.socket) -> None:
        """Answer the kernel's questions until no process is left that it would ask for."""
        with ExitStack() as stack:
            with channel:
                _, passed, _, _ = socket.recv_fds(channel, len(spawn_child.READY), 1)
            if not passed:
                return  # the command could not be prepared
            (listener,) = passed
            stack.callback(os.close, listener)
            poller = select.poll()
            poller.register(listener, select.POLLIN)
            poller.register(self._stop, select.POLLIN)
            while listener in (ready := dict(poller.poll())) and self._stop not in ready:
                if ready[listener] & select.POLLHUP:
                    return
                self._answer_one(listener)

    def _answer_one(self, listener: int) -> None:
        asked = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked)
            identifier, thread, _, _, _, _, descriptor, address, size, *_ = NOTIFICATION.unpack(
                asked
            )
            result = self._connect(listener, identifier, thread, descriptor, address, size)
            flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE if result is None else 0
            answer = RESPONSE.pack(identifier, 0, -(result or 0), flags)
            fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer)
        except FileNotFoundError:
            return  # whoever called has been interrupted, or is gone

    def _connect(
        self, listener: int, identifier: int, thread: int, descriptor: int, address: int, size: int
    ) -> int | None:
        """Connect a socket of another process; return the error number, None to leave it to it."""
        try:
            wanted = _read_memory(thread, address, min(size, MAX_ADDRESS))
            # The number of the thread meant whoever called: they are still there.
            fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, IDENTIFIER.pack(identifier))
            if not _is_here(wanted, self._port):
                return None
            with _copy_socket(thread, descriptor) as copy:
                if copy.type != socket.SOCK_STREAM:
                    return None
                return copy.connect_ex((LOOPBACK[copy.family], self._goal()))
        except FileNotFoundError:
            raise
        except OSError:
            return None  # what we may not look at is left as it is


def _read_memory(thread: int, address: int, size: int) -> bytes:
    memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY)
    try:
        return os.pread(memory, size, address)
    finally:
        os.close(memory)


def _is_here(wanted: bytes, port: int) -> bool:
    """Return whether a socket address is ``port`` of this machine's loopback."""
    if len(wanted) < FAMILY.size:
        return False
    (family,) = FAMILY.unpack_from(wanted)
    layout = {socket.AF_INET: IPV4_ADDRESS, socket.AF_INET6: IPV6_ADDRESS}.get(family)
    if layout is None or len(wanted) < layout.size:
        return False
    found, address = layout.unpack_from(wanted)
    host = ip_address(address)
    host = getattr(host, "ipv4_mapped", None) or host
    return bool(found == port and (host.is_loopback or host.is_unspecified))


def _copy_socket(thread: int, descriptor: int) -> socket.socket:
    """Return a copy of another process's socket; raises OSError."""
    process = os.pidfd_open(_process_of(thread))
    try:
        copy = _libc.syscall(PIDFD_GETFD, process, descriptor, 0)
    finally:
        os.close(process)
    if copy < 0:
        raise OSError(number := ctypes.get_errno(), os.strerror(number))
    return socket.socket(fileno=copy)


def _process_of(thread: int) -> int:
    """Return the number of the process that a thread belongs to."""
    for line in Path(f"/proc/{thread}/status").read_text().splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1])
    raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
