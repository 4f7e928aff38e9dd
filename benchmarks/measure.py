"""Run commands in turn as whole processes, and compare what the system says they took."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took, start-up included."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of user and system."""
    peak_mib: float
    """Resident memory at its highest, mapped pages counted."""


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of several runs of one command."""

    wall: float
    cpu: float
    peak_mib: float


class Failed(RuntimeError):
    """A command did not do its work; the text says which, and what it wrote."""


LAUNCHER = """
import os, sys, time
nowhere = os.open(os.devnull, os.O_WRONLY)
start = time.perf_counter()
actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, code)
"""
"""Linux counts what a process had in memory before ``exec`` into its peak: that is its parent's
memory, so the parent must be small. This one has 9 MiB."""


AS_INSTALLED = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
}
"""The environment of whoever has installed a command: its bytecode is kept, its output buffered."""


def run(command: Sequence[str]) -> Run:
    """Run a command to its end with its output thrown away; raises Failed if it fails."""
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, text=True, check=False, env=AS_INSTALLED)
    if done.returncode:
        raise Failed(f"{command[0]}: {done.stderr[-400:]}")
    wall, cpu, peak_kib, code = map(float, done.stdout.split())
    if code:
        raise Failed(f"{command[0]}: exit {code:.0f}: {done.stderr[-400:]}")
    return Run(wall, cpu, peak_kib / KIB_PER_MIB)


def compare(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Result]:
    """Run each command ``rounds`` times in turn, A B C A B C, and return their medians.

    In turn, so that a machine that gets slower or faster does so for all of them.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return {
        name: Result(
            median(one.wall for one in done),
            median(one.cpu for one in done),
            max(one.peak_mib for one in done),
        )
        for name, done in runs.items()
    }
