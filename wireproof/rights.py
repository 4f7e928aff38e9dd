"""What a process that parses gives up before the first byte of a stranger's.

Strategy: root becomes another user if that one can read the input and write the output: the owner
of the output's folder, else who called sudo, else nobody. Whether it can is tried, in a child. If
no one can, root stays in name, without its capabilities. Then, whoever it is, no program that is
started has more rights; where the kernel has Landlock nothing can be opened but the input, the
libraries, and the folders of the output and of temporary files; and where it has seccomp it makes
no socket, and no call that parsing has no use for.

This is for a process that is wireproof's own. Nothing here is called by the library or the plugin.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix", "/proc", "/sys")
SETTINGS = (
    *("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias"),
    *("localtime", "mime.types", "nsswitch.conf", "passwd", "ssl", "terminfo", "wireshark"),
)
"""What programs and libraries look at in ``/etc``: nothing secret is among it."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/pts", "/dev/urandom")
NOBODY = 65_534


class Needs(Struct, frozen=True):
    """What a command goes on to open by its name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    """Folders that are looked through for what matches a pattern."""


class GivenUp(Struct, frozen=True):
    """What was given up."""

    user: int
    """Who this process is now."""
    kept: str = ""
    """What could not be given up, and why; empty if all was."""


def give_up(needs: Needs, *, listens: int | None = None) -> GivenUp:
    """Give up what parsing does not need; elsewhere than on Linux nothing.

    ``listens`` is the port of a page that is served, 0 for any free one: to listen there is all
    that is left of connections.
    """
    if sys.platform != "linux":
        return GivenUp(os.geteuid() if hasattr(os, "geteuid") else 0)
    from capture.linux.calls import refuse_calls
    from capture.linux.rights import confine, gain_nothing
    from capture.linux.spawn_child import Refused

    kept = ""
    try:
        if os.geteuid() == 0:
            kept = _leave_root(needs)
        else:
            _lose_capabilities()
        gain_nothing()
        readable, writable = list(_readable(needs)), list(_writable(needs))
        confine(readable, writable, listed=needs.listed, listens=listens)
        refuse_calls(serves=listens is not None)
    except Refused as refusal:
        kept = f"could not give up all rights: {refusal}"
    return GivenUp(os.geteuid(), kept)


def give_up_in_thread() -> None:
    """Give up the capabilities of this thread, which parses while others record.

    What the others hold stays, and so does who this process is: a command that is recorded is
    started with its caller's rights.
    """
    if sys.platform == "linux":
        from capture.linux.rights import gain_nothing

        _lose_capabilities()
        gain_nothing()


def leave_root() -> None:
    """Stop being root, for what reads and writes no file that is known here; others stay."""
    if sys.platform == "linux" and os.geteuid() == 0:
        from capture.linux.rights import gain_nothing

        _leave_root(Needs(()))
        gain_nothing()


def _lose_capabilities() -> None:
    """Lose those that a Python with capabilities of its own gives to every user."""
    from capture.linux.rights import drop_capabilities

    drop_capabilities()


def _leave_root(needs: Needs) -> str:
    """Stop being root, or being it in more than name; return what had to be kept."""
    from capture.linux.rights import CAP_DAC_OVERRIDE, become, drop_capabilities

    for user, group in _others(needs):
        leave = partial(become, user, group)
        if _suffices(leave, needs):
            leave()
            drop_capabilities()
            return ""
    # What no right would open (a file system is read-only) is no reason to keep one.
    if _suffices(drop_capabilities, needs) or not _suffices(_stay, needs):
        drop_capabilities()
        return ""
    drop_capabilities({CAP_DAC_OVERRIDE})
    return "keeping the right to open any file: without it, the input or the output is out of reach"


def _stay() -> None:
    """Keep all rights."""


def _others(needs: Needs) -> Iterator[tuple[int, int]]:
    """Yield who root may become, with their groups: never one whom an output would belong to by
    chance."""
    if needs.outputs:
        folder = os.stat(_folder(needs.outputs[0]))  # noqa: PTH116
        if folder.st_uid and not folder.st_mode & stat.S_ISVTX:
            yield folder.st_uid, folder.st_gid
        return
    caller = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if all(number.isdecimal() and int(number) for number in caller):
        yield int(caller[0]), int(caller[1])
    yield NOBODY, NOBODY


def _suffices(leave: Callable[[], object], needs: Needs) -> bool:
    """Try in a child whether everything can be opened without these rights."""
    # What there is must be asked before: a folder out of reach looks as if there were none.
    read = [*filter(os.path.lexists, needs.inputs), *needs.listed, *_libraries()]
    child = os.fork()
    if not child:
        code = 1
        try:
            leave()
            code = 0 if _can_open(read, needs) else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _can_open(read: Iterable[str], needs: Needs) -> bool:
    can_read = all(os.access(path, os.R_OK) for path in read)
    return can_read and all(os.access(path, os.W_OK) for path in _writable(needs))


def _readable(needs: Needs) -> Iterator[str]:
    """Yield what is read: inputs, and what Python and programs are made of."""
    yield from SYSTEM
    yield from (f"/etc/{name}" for name in SETTINGS)
    yield from filter(None, os.environ.get("PATH", "").split(os.pathsep))
    yield from _libraries()
    yield from needs.inputs


def _libraries() -> Sequence[str]:
    """Return the folders that modules may still be imported from."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    path = {place for place in sys.path if place not in ("", os.getcwd())}  # noqa: PTH109
    found = {ours, sys.prefix, sys.base_prefix, *path}
    return sorted(filter(os.path.exists, found))


def _writable(needs: Needs) -> Iterator[str]:
    yield from filter(os.path.exists, DEVICES[:4])
    for output in needs.outputs:
        if os.path.isdir(folder := _folder(output)):  # noqa: PTH112
            yield folder
    if (temporary := _temporary_folder()) is not None:
        yield temporary


def _temporary_folder() -> str | None:
    """Return where Python puts temporary files; None if that is nowhere.

    The module for it takes long to load. Its choice, made later, is the same: nothing else can be
    written to by then.
    """
    named = filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP")))
    for place in (*named, "/tmp", "/var/tmp", "/usr/tmp", os.curdir):  # noqa: S108  # as tempfile has it
        folder = os.path.abspath(place)  # noqa: PTH100
        if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):  # noqa: PTH112
            return folder
    return None


def _folder(output: str) -> str:
    """Return what has to be written to for an output: its folder, or itself if it is no file."""
    place = os.path.realpath(output)
    if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110, PTH113
        return output
    return os.path.dirname(place)  # noqa: PTH120


def paths(values: Iterable[object]) -> tuple[str, ...]:
    """Return the names of files among what options say; ``-`` is open already."""
    found: list[str] = []
    for value in values:
        found += [value] if isinstance(value, str) else value if isinstance(value, tuple) else []
    return tuple(path for path in found if path != "-")


def reached(names: Iterable[str]) -> Iterator[str]:
    """Yield what must be read of what names stand for: folders and patterns stand for files that
    may be links to elsewhere."""
    for name in names:
        yield name
        for place in _matches(name) if _is_pattern(name) else [name]:
            if place != name:
                yield os.path.realpath(place)
            if os.path.isdir(place):  # noqa: PTH112
                yield from _linked(place)


def looked_through(names: Iterable[str]) -> Iterator[str]:
    """Yield the folders in which patterns look for names."""
    from glob import has_magic

    for folder in map(os.path.dirname, filter(_is_pattern, names)):
        yield from map(os.path.realpath, _matches(folder) if folder else [os.curdir])
        above = folder
        while has_magic(above):
            above = os.path.dirname(above)  # noqa: PTH120
            yield above or os.curdir


def _is_pattern(name: str) -> bool:
    """Whether a name is a pattern; a file may be called so, too."""
    return any(mark in name for mark in "*?[") and not os.path.lexists(name)


def _matches(pattern: str) -> list[str]:
    from glob import glob

    return glob(pattern, recursive=True)  # noqa: PTH207  # it may be absolute


def _linked(folder: str) -> Iterator[str]:
    """Yield where the links to files in a folder lead, and in those in it."""
    for place, _, files in os.walk(folder):
        paths = (os.path.join(place, file) for file in files)  # noqa: PTH118
        yield from map(os.path.realpath, filter(os.path.islink, paths))
