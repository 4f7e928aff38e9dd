"""Run commands in turn as whole processes, and compare what the system says they took."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

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


def run(command: Sequence[str]) -> Run:
    """Run a command to its end with its output thrown away; raises Failed if it fails."""
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    with process.stderr:
        complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{command[0]}: exit {process.returncode}: {complaint.decode()[-400:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIB_PER_MIB)


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
