"""Start a command in a process that has first been prepared for it; see ``spawn_child``.

Strategy: the process runs ``spawn_child`` and becomes the command, so it is our own child and its
number is the command's. Whether that has worked is read from a pipe that closes when it has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import spawn_child

CHILD = [sys.executable, "-I", "-S", str(Path(spawn_child.__file__))]
"""Isolated: whatever lies in the working directory or in PYTHONPATH is nothing to it."""


class SpawnRefused(Exception):
    """The kernel did not allow a step; the message says which."""


def spawn(
    kind: str, descriptors: Sequence[int], command: Sequence[str], options: dict[str, Any]
) -> subprocess.Popen[Any]:
    """Start ``command`` after a preparation of ``kind``; ``options`` are ``Popen``'s.

    ``descriptors`` are what the preparation takes. Raises SpawnRefused, and OSError if the
    command itself cannot be started, as ``Popen`` does.
    """
    told, report = os.pipe()
    try:
        passed = (report, *descriptors)
        words = [*CHILD, kind, *map(str, passed), "--", *map(os.fspath, command)]
        pass_fds = (*passed, *options.get("pass_fds", ()))
        process = subprocess.Popen(words, **(options | {"pass_fds": pass_fds}))
    except BaseException:
        os.close(told)
        raise
    finally:
        os.close(report)
    with os.fdopen(told, "rb") as stream:
        fault = stream.read().decode()
    if fault:
        process.communicate()
        raise _start_error(fault, command[0])
    return process


def _start_error(fault: str, program: str) -> Exception:
    """Return what ``Popen`` would have raised for a program that did not start."""
    if fault.isdecimal():
        return OSError(int(fault), os.strerror(int(fault)), program)
    return SpawnRefused(fault)
