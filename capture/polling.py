"""Waiting for sockets on every system, and waking whoever waits.

Strategy: one poller with the best call that there is: epoll, poll, or select, which takes nothing
but sockets on Windows. What happened is told in the bits of poll(2), which are epoll's too. Only
epoll tells of failures that nobody waits to read, in the same way wherever it is; poll() differs by
system there, and select() has no word for it. So with those a socket whose failures alone are
waited for is not watched, and whoever reads or writes it next learns of them.
"""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

READABLE = 0x001
WRITABLE = 0x004
FAILED = 0x008
"""POLLIN, POLLOUT and POLLERR (poll(2)); the numbers are the same wherever there is poll."""
MAX_WATCHED = 400 if sys.platform == "win32" else 4_000
"""Sockets that are watched at a time: select() takes 512 on Windows."""


class Poller:
    """Watch sockets, each for what its mask says."""

    def __init__(self) -> None:
        self._set = _best()
        self._watched: dict[int, int] = {}

    def watch(self, descriptor: int, mask: int | None) -> None:
        """Watch a socket for READABLE or WRITABLE, for failures alone with 0, not with None."""
        before = self._watched.get(descriptor)
        if mask == before:
            return
        if mask is None:
            self._set.unregister(descriptor)
            del self._watched[descriptor]
            return
        if before is None:
            self._set.register(descriptor, mask)
        else:
            self._set.modify(descriptor, mask)
        self._watched[descriptor] = mask

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """Wait, at most ``timeout`` seconds; return descriptors and what happened there."""
        return self._set.poll(timeout)

    def close(self) -> None:
        """Let go of what it watches with; the sockets stay open."""
        self._set.close()


class _Set(Protocol):
    """What epoll has, and is made of other calls."""

    def register(self, descriptor: int, mask: int, /) -> None: ...
    def modify(self, descriptor: int, mask: int, /) -> None: ...
    def unregister(self, descriptor: int, /) -> None: ...
    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


def _best() -> _Set:
    if hasattr(select, "epoll"):
        return select.epoll()
    return _Poll() if hasattr(select, "poll") else _Select()


class _Select:
    """epoll made of select()."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}

    def register(self, descriptor: int, mask: int, /) -> None:
        self._masks[descriptor] = mask

    modify = register

    def unregister(self, descriptor: int, /) -> None:
        del self._masks[descriptor]

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        readers = [one for one, mask in self._masks.items() if mask & READABLE]
        writers = [one for one, mask in self._masks.items() if mask & WRITABLE]
        # A connection that is refused is an exception on Windows, and can be neither read nor
        # written.
        ready = select.select(readers, writers, writers, timeout)
        found: dict[int, int] = {}
        for descriptors, bit in zip(ready, (READABLE, WRITABLE, WRITABLE), strict=True):
            for descriptor in descriptors:
                found[descriptor] = found.get(descriptor, 0) | bit
        return list(found.items())

    def close(self) -> None:
        """Nothing is held."""


class _Poll(_Select):
    """epoll made of poll(): a failure is told to whoever reads or writes, as select() does."""

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        poller = select.poll()
        for descriptor, mask in self._masks.items():
            if mask:
                poller.register(descriptor, mask)
        happened = poller.poll(None if timeout is None else timeout * 1000)
        return [
            (one, self._masks[one] if found & ~(READABLE | WRITABLE) else found)
            for one, found in happened
        ]


class Wakeup:
    """Wake a thread that waits in a poller: a pair of sockets, which can be waited for anywhere."""

    def __init__(self) -> None:
        self._waiting, self._waking = socket.socketpair()
        self._waiting.setblocking(False)
        self._waking.setblocking(False)

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._waiting.fileno()

    @property
    def sender(self) -> int:
        """The descriptor to which ``signal.set_wakeup_fd`` may write."""
        return self._waking.fileno()

    def notify(self) -> None:
        """Wake it; from any thread, and from a signal's handler."""
        with suppress(BlockingIOError):  # as many are waiting already as there is room for
            self._waking.send(b"\0")

    def clear(self) -> bool:
        """Take what came; return whether there was anything."""
        return any(_all(self._waiting))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until woken, at most ``timeout`` seconds; return whether it was."""
        poller = Poller()
        try:
            poller.watch(self.fileno(), READABLE)
            return bool(poller.poll(timeout))
        finally:
            poller.close()

    def close(self) -> None:
        """Close both ends."""
        self._waiting.close()
        self._waking.close()


def _all(sock: socket.socket) -> Iterator[bool]:
    with suppress(BlockingIOError):
        while sock.recv(4096):
            yield True
