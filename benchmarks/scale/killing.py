"""Exports and collectors that are killed at random, ten times each, beside one that is not.

Strategy: when to kill is drawn as how many parts are there by then, so that a busy machine is as
good as a quiet one. Then the process goes, with all that it has started; or one of them alone: a
worker of Dask's, its scheduler, the process that exports for a collector. What is there in the end
is compared, names and bytes, whatever lies beside it too.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random

from wireproof.tables.files import filesystem_of
from wireproof.tables.parts import MANIFESTS
from wireproof.tables.stores import Place, place_of

from ..measure import AS_INSTALLED
from .making import digest, make_ring, make_small

KILLS = 10
WORKERS = 2
TURN = 0.02
"""Seconds between two looks at what is there."""
LONGEST = 0.2
"""Seconds between a part's end and a kill, at most."""
PATIENCE = 120.0
"""Seconds in which an export ends whose scheduler is gone."""
RING = 20_000_000
"""Bytes of the ring that is collected."""
RING_FILES = 40
IN_SMALL_PARTS = """
from wireproof.tables import parts
from wireproof.__main__ import main
parts.PART_CAPTURES = 10
main()
"""
"""A command whose export has many parts, so that there is much to be killed at."""
QUIET = subprocess.DEVNULL


def kills(folder: Path, captures: int, seed: int) -> None:
    """Exports by one process, by Dask's workers here, by those of a scheduler, to a store that
    speaks S3; and collectors."""
    made = make_small(folder / "captures", captures)
    whole = folder / "whole"
    subprocess.run(_export(made, str(whole)), check=True, stderr=QUIET)
    total, expected = _parts(place_of(str(whole))), digest(whole)
    print(f"{captures:,} captures, {total} parts")
    for name, options in (("one process", []), ("two workers", ["--workers", str(WORKERS)])):
        place = folder / name.replace(" ", "-")
        command = _export(made, str(place), *options)
        killed = _kill_all(command, place_of(str(place)), total, Random(seed))
        _tell(name, killed, place, expected)
    for name, kill in (("a scheduler's workers", _kill_workers), ("schedulers", _kill_schedulers)):
        place = folder / name.replace(" ", "-")
        _tell(name, kill(made, place, total, Random(seed)), place, expected)
    with _bucket() as (url, environment):
        command = _export(made, f"{url}/set")
        killed = _kill_all(command, place_of(f"{url}/set"), total, Random(seed), environment)
        filesystem, at = filesystem_of(f"{url}/set")
        filesystem.get(at, str(folder / "s3"), recursive=True)
        _tell("one process, to S3", killed, folder / "s3", expected)
    _kill_collectors(folder, seed)


def _tell(name: str, killed: list[int], place: Path, expected: str) -> None:
    left = [path.name for path in place.rglob(".*")]
    print(
        f"  {name}: killed {len(killed)} times, with {killed} parts;"
        f" the same: {digest(place) == expected}; left beside it: {left or 'nothing'}",
        flush=True,
    )


def _export(made: Path, place: str, *options: str) -> list[str]:
    return [sys.executable, "-c", IN_SMALL_PARTS, "export", str(made), "-o", place, *options]


def _parts(place: Place) -> int:
    return len(place.sizes(MANIFESTS, ".json"))


def _targets(total: int, random: Random) -> list[int]:
    return sorted(random.randrange(total) for _ in range(KILLS))


def _reached(place: Place, target: int, process: subprocess.Popen[bytes], random: Random) -> bool:
    """Wait until so many parts are there, and a moment more; return whether it still runs."""
    while process.poll() is None and _parts(place) < target:
        time.sleep(TURN)
    time.sleep(random.uniform(0, LONGEST))
    return process.poll() is None


def _kill_all(
    command: list[str],
    place: Place,
    total: int,
    random: Random,
    environment: Mapping[str, str] = AS_INSTALLED,
) -> list[int]:
    """Kill an export and all of its processes, and begin again, until it ends; return how many
    parts were there each time."""
    killed = []
    for target in _targets(total, random):
        process = subprocess.Popen(
            command, stderr=QUIET, env=dict(environment), start_new_session=True
        )
        if _reached(place, target, process, random):
            os.killpg(process.pid, signal.SIGKILL)
            killed.append(_parts(place))
        process.wait()
    subprocess.run(command, check=True, stderr=QUIET, env=dict(environment))
    return killed


def _kill_workers(made: Path, folder: Path, total: int, random: Random) -> list[int]:
    """Kill workers that an export uses, and start others."""
    killed, place = [], place_of(str(folder))
    with ExitStack() as stack:
        known = stack.enter_context(_scheduler(folder.with_suffix(".json")))
        workers = [stack.enter_context(_worker(known)) for _ in range(WORKERS)]
        process = subprocess.Popen(_by_scheduler(made, folder, known), stderr=QUIET)
        for target in _targets(total, random):
            if _reached(place, target, process, random):
                one = workers.pop(random.randrange(len(workers)))
                one.kill()
                killed.append(_parts(place))
                workers.append(stack.enter_context(_worker(known)))
        if process.wait():
            raise RuntimeError(f"the export ended with exit {process.returncode}")
    return killed


def _kill_schedulers(made: Path, folder: Path, total: int, random: Random) -> list[int]:
    """Kill the scheduler of an export, which has to say so, and begin again with another."""
    killed, place = [], place_of(str(folder))
    for number, target in enumerate([*_targets(total, random), None]):
        with ExitStack() as stack:
            known = folder.with_name(f"{folder.name}-{number}.json")
            scheduler = stack.enter_context(_scheduling(known))
            for _ in range(WORKERS):
                stack.enter_context(_worker(known))
            process = subprocess.Popen(_by_scheduler(made, folder, known), stderr=QUIET)
            stack.callback(process.kill)
            if target is not None and _reached(place, target, process, random):
                scheduler.kill()
                killed.append(_parts(place))
            if process.wait(PATIENCE) != (2 if scheduler.poll() is not None else 0):
                raise RuntimeError(f"the export ended with exit {process.returncode}")
    return killed


def _by_scheduler(made: Path, folder: Path, known: Path) -> list[str]:
    return _export(made, str(folder), "--scheduler", json.loads(known.read_text())["address"])


@contextmanager
def _running(command: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", f"distributed.cli.{command}", *options, "--no-dashboard"]
    with subprocess.Popen(words, stdout=QUIET, stderr=QUIET, env=AS_INSTALLED) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _scheduler(known: Path) -> Iterator[Path]:
    """Run Dask's scheduler, which says in a file where it is."""
    with _scheduling(known):
        yield known


@contextmanager
def _scheduling(known: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The same, as a process."""
    options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(known))
    with _running("dask_scheduler", *options) as process:
        while not known.exists():
            if process.poll() is not None:
                raise RuntimeError("Dask's scheduler does not start")
            time.sleep(TURN)
        yield process


def _worker(known: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run one of its workers, with nobody who would start another."""
    options = ("--scheduler-file", str(known), "--nthreads", "1", "--no-nanny")
    return _running(
        "dask_worker", *options, "--host", "127.0.0.1", "--local-directory", str(known.parent)
    )


@contextmanager
def _bucket() -> Iterator[tuple[str, dict[str, str]]]:
    """Run a store that speaks S3, on loopback; give a bucket's URL, and what finds it."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(found)
    try:
        filesystem_of("s3://")[0].mkdir("killed")
        yield "s3://killed", {**AS_INSTALLED, **found}
    finally:
        server.stop()


def _kill_collectors(folder: Path, seed: int) -> None:
    """Collectors of a ring that an earlier one has left: killed with all of their processes, or
    the one that exports alone."""
    ring = sorted(make_ring(folder / "ring", RING, RING_FILES).iterdir())
    whole, collectors, exporters = (folder / name for name in ("collected", "ended", "went-on"))
    _collect(ring, whole)
    expected = digest(whole)
    print(f"a ring of {RING_FILES} files")
    random = Random(seed)
    targets = _targets(RING_FILES, random)
    killed = [_collect(ring, collectors, [target], _kill_group, random) for target in targets]
    _collect(ring, collectors)
    _tell("collectors", [one for each in killed for one in each], collectors, expected)
    killed_alone = _collect(ring, exporters, targets, _kill_children, random)
    _collect(ring, exporters)
    _tell("what exports for them", killed_alone, exporters, expected)


def _collect(
    ring: Sequence[Path],
    folder: Path,
    targets: Sequence[int] = (),
    kill: Callable[[int], None] | None = None,
    random: Random | None = None,
) -> list[int]:
    """Collect, and kill at so many parts; what is left is exported in the end, if nothing was
    killed just now. What those that were killed had begun to record is empty: it is removed."""
    for path in set(ring[0].parent.iterdir()).difference(ring):
        path.unlink()
    words = [
        "collect",
        "--port",
        "9",
        "-i",
        "lo",
        "--host",
        "gateway",
        "--ring",
        str(ring[0].parent),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "wireproof", *words, "-o", str(folder)],
        stderr=QUIET,
        env=AS_INSTALLED,
        start_new_session=True,
    )
    place, killed = place_of(str(folder)), []
    # The last file waits for one that follows, or for the end.
    for target in targets or (RING_FILES - 1,):
        if _reached(place, min(target, RING_FILES - 1), process, random or Random(0)) and kill:
            kill(process.pid)
            killed.append(_parts(place))
    process.terminate()
    process.wait()
    return killed


def _kill_group(process: int) -> None:
    children = _children(process)
    os.kill(process, signal.SIGKILL)  # before it starts another
    for one in children:
        os.kill(one, signal.SIGKILL)


def _kill_children(process: int) -> None:
    for one in _children(process):
        os.kill(one, signal.SIGKILL)


def _children(process: int) -> list[int]:
    """Return the processes that a process has started, from whichever of its threads."""
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for path in found for number in path.read_text().split()]
