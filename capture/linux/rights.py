"""What a process gives up before it reads what strangers wrote: capabilities, files, connections.

Strategy: the kernel's own calls, which libc has no functions for, as numbers that are the same on
every machine since Linux 5.13 (Landlock) or are functions of libc (capset, prctl). All of it
concerns the calling thread and what comes of it; nothing can be taken back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from contextlib import suppress

from .spawn_child import (
    CAPABILITIES,
    CAPABILITY_VERSION,
    PR_SET_NO_NEW_PRIVS,
    Refused,
    call,
)

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
"""To read and to write files whatever their permissions are (linux/capability.h)."""
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
LAST_CAPABILITY = "/proc/sys/kernel/cap_last_cap"
WORD = 32

# linux/landlock.h; the numbers of its calls are the same on all machines but alpha
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_CREATE_RULESET_VERSION = 1
LANDLOCK_RULE_PATH_BENEATH, LANDLOCK_RULE_NET_PORT = 1, 2
RULESET = struct.Struct("@QQQ")
PATH_BENEATH = struct.Struct("=Qi")
NET_PORT = struct.Struct("=QQ")
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG, TRUNCATE = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 14
FILES_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""Which rights over files each version of Landlock knows; the last one's stand for later ones,
whose right to control devices is left alone."""
CONNECTIONS, CONNECTIONS_SINCE = 0b11, 4
"""To bind and to connect a TCP socket."""
BIND = 0b01
SCOPES, SCOPES_SINCE = 0b11, 6
"""Abstract Unix sockets and signals of other processes."""
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
"""What can be allowed of what is no folder."""
TO_READ = EXECUTE | READ_FILE | READ_DIR
MAKES = MAKE_DIR | MAKE_REG | REMOVE_DIR | REMOVE_FILE
TO_WRITE = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKES
"""Files and folders may be made, written, renamed in their folder, and removed: Wireshark gets a
profile of its own."""

_libc = ctypes.CDLL(None, use_errno=True)


_keeps_all = False


def keep_all() -> None:
    """Let this process keep its rights, because somebody wants that: what would give them up after
    this does nothing."""
    global _keeps_all  # rights are the process's, whoever asks
    _keeps_all = True


def drop_capabilities(keep: Iterable[int] = ()) -> None:
    """Give up all capabilities but ``keep``, of those that this thread has; raises Refused."""
    if _keeps_all:
        return
    kept = set(keep)
    _drop_bounds(kept)
    header = struct.pack("@Ii", CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(CAPABILITIES.size)
    call("reading capabilities", "capget", header, sets)
    words = list(CAPABILITIES.unpack(sets.raw))
    low, high = (sum(1 << c % WORD for c in kept if c // WORD == half) for half in (0, 1))
    masks = (low, low, 0, high, high, 0)
    left = [word & mask for word, mask in zip(words, masks, strict=True)]
    call("giving up capabilities", "capset", header, CAPABILITIES.pack(*left))


def _drop_bounds(kept: set[int]) -> None:
    """Let no program give them back; only who may change capabilities can, and others need not."""
    with suppress(OSError, ValueError):
        with open(LAST_CAPABILITY) as file:  # noqa: PTH123
            last = int(file.read())
        for capability in range(last + 1):
            if capability not in kept and _prctl(PR_CAPBSET_DROP, capability):
                return


def become(user: int, group: int) -> None:
    """Become another user, of one group, for good; raises OSError.

    What is open can be opened again under its number in /proc, as before.
    """
    _drop_bounds(set())
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    _prctl(PR_SET_DUMPABLE, 1)


def gain_nothing() -> None:
    """Let no program that is started from here have more rights than this one; raises Refused."""
    if _keeps_all:
        return
    if _prctl(PR_SET_NO_NEW_PRIVS, 1):
        raise Refused(f"gaining no rights: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, value: int) -> int:
    return int(_libc.prctl(option, *(ctypes.c_ulong(n) for n in (value, 0, 0, 0))))


def landlock_version() -> int:
    """Return which version of Landlock the kernel has, 0 if it has none or it is switched off."""
    version = _libc.syscall(
        LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION
    )
    return max(int(version), 0)


def confine(
    readable: Iterable[str],
    writable: Iterable[str],
    *,
    listed: Iterable[str] = (),
    listens: int | None = None,
) -> bool:
    """Let this thread open nothing but what lies under these paths; paths that are not there are
    left out. Of folders that are ``listed`` it learns the names in them, and no more.

    With a kernel that can, TCP is refused too, but to listen on the port ``listens`` (0: any free
    one), and signals to others. What is open stays open. Returns whether the kernel has Landlock;
    raises Refused.
    """
    version = landlock_version()
    if not version:
        return False
    files = FILES_OF_VERSION[min(version, max(FILES_OF_VERSION))]
    rights = RULESET.pack(
        files,
        CONNECTIONS if version >= CONNECTIONS_SINCE else 0,
        SCOPES if version >= SCOPES_SINCE else 0,
    )
    # An older kernel refuses fields that it does not know, unless they are left off.
    size = 8 if version < CONNECTIONS_SINCE else 16 if version < SCOPES_SINCE else 24
    rules = _landlock(LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(size), 0)
    try:
        for path in readable:
            _allow(rules, path, TO_READ & files)
        for path in listed:
            _allow(rules, path, READ_DIR & files)
        for path in writable:
            _allow(rules, path, TO_WRITE & files)
        if listens is not None and version >= CONNECTIONS_SINCE:
            _landlock(
                LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_NET_PORT, NET_PORT.pack(BIND, listens), 0
            )
        _landlock(LANDLOCK_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return True


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what cannot be found needs no right
    try:
        if not os.path.isdir(f"/proc/self/fd/{place}"):  # noqa: PTH112  # a descriptor, no path
            rights &= OF_A_FILE
        rule = PATH_BENEATH.pack(rights, place)
        _landlock(LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
    except Refused:
        if ctypes.get_errno() != errno.EBADFD:  # a pipe or socket: these need no right
            raise
    finally:
        os.close(place)


def _landlock(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise Refused(f"confining this process: {os.strerror(ctypes.get_errno())}")
    return result
