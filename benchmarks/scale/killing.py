"""Exports that are killed at random, ten times, each beside one that is not.

Strategy: when to kill is drawn as how many parts are there by then, so that a busy machine is as
good as a quiet one. Then the process goes, with all that it has started; or a worker of Dask's that
somebody else has started. What is there in the end is compared, names and bytes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random

from ..measure import AS_INSTALLED
from .making import digest, make_small

KILLS = 10
WORKERS = 2
TURN = 0.02
"""Seconds between two looks at what is there."""
LONGEST = 0.2
"""Seconds between a part's end and a kill, at most."""
IN_SMALL_PARTS = """
from wireproof.tables import parts
from wireproof.__main__ import main
parts.PART_CAPTURES = 10
main()
"""
"""A command whose export has many parts, so that there is much to be killed at."""


def kills(folder: Path, captures: int, seed: int) -> None:
    """Exports by one process, by Dask's workers here, and by those of a scheduler."""
    made = make_small(folder / "captures", captures)
    whole = folder / "whole"
    subprocess.run(_export(made, whole), check=True, stderr=subprocess.DEVNULL)
    total, expected = _parts(whole), digest(whole)
    print(f"{captures:,} captures, {total} parts")
    for name, options in (("one process", []), ("two workers", ["--workers", str(WORKERS)])):
        place = folder / name.replace(" ", "-")
        killed = _kill_all(_export(made, place, *options), place, total, Random(seed))
        _tell(name, killed, digest(place) == expected)
    place = folder / "scheduler"
    killed = _kill_workers(made, place, total, Random(seed))
    _tell("a scheduler's workers", killed, digest(place) == expected)


def _tell(name: str, killed: list[int], is_the_same: bool) -> None:
    print(f"  {name}: killed {len(killed)} times, with {killed} parts; the same: {is_the_same}")


def _export(made: Path, place: Path, *options: str) -> list[str]:
    return [sys.executable, "-c", IN_SMALL_PARTS, "export", str(made), "-o", str(place), *options]


def _parts(place: Path) -> int:
    return len(list(place.glob("manifest/[!.]*.json")))


def _targets(total: int, random: Random) -> list[int]:
    return sorted(random.randrange(total) for _ in range(KILLS))


def _reached(place: Path, target: int, process: subprocess.Popen[bytes], random: Random) -> bool:
    """Wait until so many parts are there, and a moment more; return whether it still runs."""
    while process.poll() is None and _parts(place) < target:
        time.sleep(TURN)
    time.sleep(random.uniform(0, LONGEST))
    return process.poll() is None


def _kill_all(command: list[str], place: Path, total: int, random: Random) -> list[int]:
    """Kill an export and all of its processes, and begin again, until it ends; return how many
    parts were there each time."""
    killed = []
    for target in _targets(total, random):
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, env=AS_INSTALLED, start_new_session=True
        )
        if _reached(place, target, process, random):
            os.killpg(process.pid, signal.SIGKILL)
            killed.append(_parts(place))
        process.wait()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return killed


def _kill_workers(made: Path, place: Path, total: int, random: Random) -> list[int]:
    """Kill workers that an export uses, and start others."""
    killed = []
    with ExitStack() as stack:
        known = stack.enter_context(_scheduler(place.with_suffix(".json")))
        workers = [stack.enter_context(_worker(known)) for _ in range(WORKERS)]
        address = json.loads(known.read_text())["address"]
        process = subprocess.Popen(
            _export(made, place, "--scheduler", address), stderr=subprocess.DEVNULL
        )
        for target in _targets(total, random):
            if _reached(place, target, process, random):
                one = workers.pop(random.randrange(len(workers)))
                one.kill()
                killed.append(_parts(place))
                workers.append(stack.enter_context(_worker(known)))
        if process.wait():
            raise RuntimeError(f"the export ended with exit {process.returncode}")
    return killed


@contextmanager
def _running(command: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", f"distributed.cli.{command}", *options, "--no-dashboard"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet, env=AS_INSTALLED) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _scheduler(known: Path) -> Iterator[Path]:
    """Run Dask's scheduler, which says in a file where it is."""
    options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(known))
    with _running("dask_scheduler", *options) as process:
        while not known.exists():
            if process.poll() is not None:
                raise RuntimeError("Dask's scheduler does not start")
            time.sleep(TURN)
        yield known


def _worker(known: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run one of its workers, with nobody who would start another."""
    options = ("--scheduler-file", str(known), "--nthreads", "1", "--no-nanny")
    return _running(
        "dask_worker", *options, "--host", "127.0.0.1", "--local-directory", str(known.parent)
    )
