"""Run commands in turn as whole processes, and compare what the system says they took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
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


def run(command: Sequence[str], done: Collection[int] = (0,)) -> Run:
    """Run a command to its end with its output thrown away; raises Failed if it fails.

    ``done`` are the exit codes of a command that has done its work: to some, 1 is an answer.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    ended = subprocess.run(launcher, capture_output=True, text=True, check=False, env=AS_INSTALLED)
    if ended.returncode:
        raise Failed(f"{command[0]}: {ended.stderr[-400:]}")
    wall, cpu, peak_kib, code = map(float, ended.stdout.split())
    if code not in done or "Traceback" in ended.stderr:
        raise Failed(f"{command[0]}: exit {code:.0f}: {ended.stderr[-400:]}")
    return Run(wall, cpu, peak_kib / KIB_PER_MIB)


ALONE = """
import atexit, resource, runpy, sys
def tell():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(ALONE_TAKEN, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
ALONE_TAKEN = sys.argv.pop(1)
atexit.register(tell)
sys.argv.pop(0)
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Runs a module, and says at its end what the process took without those that it started."""
TAKEN = "taken alone:"


def run_alone(module: Sequence[str], done: Collection[int] = (0,)) -> Run:
    """Run ``-m MODULE ...`` of Python, and leave the programs that it starts out of what it took.

    Raises Failed if it fails.
    """
    words = [sys.executable, "-c", ALONE, TAKEN, *module[1:]]
    start = time.perf_counter()
    ended = subprocess.run(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        env=AS_INSTALLED,
    )  # fmt: skip
    wall = time.perf_counter() - start
    said, _, taken = ended.stderr.rpartition(TAKEN)
    if ended.returncode not in done or "Traceback" in said:
        raise Failed(f"{module[1]}: exit {ended.returncode}: {ended.stderr[-400:]}")
    cpu, peak_kib = map(float, taken.split())
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
