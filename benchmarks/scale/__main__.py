"""``python -m benchmarks.scale small|streams|workers|spread|kills|ring|queries``: what fleets cost.

Figures are the processor's seconds of whole processes (user and system, children included) and the
highest resident memory; those of starting are taken off where it says so. Everything is made in a
folder that is removed at the end.
"""

from __future__ import annotations

import resource
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from wireproof.query.database import opened
from wireproof.query.named import NAMED
from wireproof.tables import cluster
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob
from wireproof.tables.exporting import run as export
from wireproof.tables.files import found
from wireproof.tables.reading import TableOptions
from wireproof.tables.shares import Told, finish, groups, join, shares_of

from ..measure import Run, run
from .killing import kills
from .making import (
    COPIES,
    STREAMS,
    digest,
    make_ring,
    make_small,
    make_stream,
    make_streams,
    multiply,
)

T = TypeVar("T")
OPTIONS = TableOptions()
ROUNDS = 3
GB = 10**9
MiB = 1 << 20


def least(command: Sequence[str], rounds: int = ROUNDS) -> Run:
    """Return the run that took the processor least."""
    return min((run(command) for _ in range(rounds)), key=lambda one: one.cpu)


def way(name: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.scale.running", name, str(folder)]


def size_of(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def small(folder: Path, captures: Sequence[int], rounds: int) -> None:
    """Small captures: decoding them, explaining them, and a data set of them."""
    starting = least(way("nothing", folder)).cpu
    for number in captures:
        made = make_small(folder / str(number), number)
        print(f"{number:,} captures, {size_of(made) / 1e6:.1f} MB; start-up {starting:.2f} s off")
        ways = {name: least(way(name, made), rounds) for name in ("decode", "explain", "export")}
        first = ways["decode"].cpu - starting
        for name, one in ways.items():
            cpu = one.cpu - starting
            each = cpu / number * 1e3
            print(
                f"  {name:8} {cpu:7.2f} s {each:6.2f} ms each {cpu / first:5.2f}x"
                f" {one.peak_mib:4.0f} MiB {one.wall:7.2f} s wall"
            )


def streams(folder: Path, connections: int, rounds: int) -> None:
    """One capture of each kind of stream: the same ways, for an element of it."""
    nothing, load = (least(way(name, folder), rounds).cpu for name in ("nothing", "load"))
    for kind in STREAMS:
        path = folder / kind / f"{kind}.pcapng"
        make_stream(path, kind, connections)
        place = folder / f"{kind}-set"
        export(ExportJob([str(path)], str(place), OPTIONS), print)
        [made] = DataSet(str(place)).captures()
        elements = made.rows["elements"]
        size, stored = path.stat().st_size / 1e6, size_of(place) / 1e6
        print(f"{kind}: {elements:,} elements in {size:.1f} MB; a data set of {stored:.2f} MB")
        for name, starting in (("decode", nothing), ("explain", nothing), ("export", load)):
            cpu = least(way(name, path.parent), rounds).cpu - starting
            print(f"  {name:8} {cpu:7.2f} s {cpu / elements * 1e6:6.2f} us each")


def workers(folder: Path, captures: int, numbers: Sequence[int]) -> None:
    """The same data set by one process, and by so many workers of Dask's."""
    made = make_small(folder / "captures", captures)
    places = {number: folder / f"set-{number}" for number in (0, *numbers)}
    walls = {number: _spread(made, place, number) for number, place in places.items()}
    told = {number: digest(place) for number, place in places.items()}
    print(f"{captures:,} captures; the same by all: {len(set(told.values())) == 1}")
    for number in numbers:
        print(f"  {number} workers: {walls[numbers[0]] / walls[number]:.2f}x of {numbers[0]}")


def spread(folder: Path, gigabytes: float, numbers: Sequence[int]) -> None:
    """A ring by one process, and by its connections: what each worker would take, one after
    another in this process, so that a busy machine tells it too."""
    [capture] = found([str(make_ring(folder / "ring", int(gigabytes * GB)))])
    whole, _ = _timed(lambda: DataSet(str(folder / "whole")).make(capture, OPTIONS))
    print(f"{gigabytes} GB of {len(capture.files)} files: one process {whole:.2f} s cpu")
    for number in numbers:
        place = folder / f"by-{number}"
        shares = shares_of(str(place), capture, OPTIONS, number)
        decoded = [_timed(share.decode) for share in shares]
        told = decoded[0][1]
        assert isinstance(told, Told)
        joined = [_timed(partial(join, shares, told, kinds)) for kinds in groups(OPTIONS.kinds)]
        finish(shares, told, [tables for _, tables in joined])
        first, then = ([cpu for cpu, _ in ways] for ways in (decoded, joined))
        longest, total = max(first) + max(then), sum(first) + sum(then)
        print(
            f"  {number} workers: decode {max(first):.2f} s, then {max(then):.2f} s, {total:.2f} s"
            f" in all; {whole / longest:.2f}x of one;"
            f" the same: {digest(place) == digest(folder / 'whole')}"
        )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the processor's seconds that something takes, and what it gives."""
    cpu = _cpu()
    found_now = work()
    return _cpu() - cpu, found_now


def _spread(captures: Path, place: Path, number: int) -> float:
    """Make a data set; return how long that took when all had started."""
    data_set = DataSet(str(place))
    plan = data_set.plan(found([str(captures)]), OPTIONS)
    if not number:
        before = time.perf_counter()
        for part in plan.parts:
            data_set.make_part(part, OPTIONS)
        return time.perf_counter() - before
    with cluster.cluster(number, None, lambda _: None) as client:
        list(cluster.made(str(place / "warm"), plan.parts[:number], OPTIONS, client))
        cpu, before = sum(client.run(_cpu).values()), time.perf_counter()
        list(cluster.made(str(place), plan.parts, OPTIONS, client))
        wall = time.perf_counter() - before
        cpu = sum(client.run(_cpu).values()) - cpu
        peak = max(client.run(_peak).values())
    for path in sorted((place / "warm").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (place / "warm").rmdir()
    print(f"  {number} workers {wall:6.2f} s wall {cpu:6.2f} s cpu, {peak:.0f} MiB at most in one")
    return wall


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ring(folder: Path, sizes: Sequence[float]) -> None:
    """A ring of files, of some sizes: time and memory by size."""
    starting = least(way("nothing", folder)).cpu
    for gigabytes in sizes:
        made = make_ring(folder / "ring", int(gigabytes * GB))
        size = size_of(made)
        for name in ("decode", "export"):
            one = least(way(name, made), 1)
            cpu = one.cpu - starting
            print(
                f"{size / GB:5.2f} GB {name:7} {cpu:7.1f} s {size / cpu / 1e6:6.1f} MB/s"
                f" {one.peak_mib:4.0f} MiB {one.wall:7.1f} s wall"
            )
        for path in made.iterdir():
            path.unlink()


def queries(folder: Path, elements: int) -> None:
    """Named queries, and some over all elements, of a data set of so many."""
    made = make_streams(folder / "streams", elements // COPIES)
    place = folder / "set"
    export(ExportJob([str(made)], str(place), OPTIONS), print)
    multiply(place)
    print(f"a data set of {size_of(place) / 1e6:.0f} MB")
    asked = {name: query.sql for name, query in NAMED.items()} | QUERIES
    with opened([str(place)], OPTIONS, print) as database:
        for name, sql in asked.items():
            cpu = _cpu()
            wall, rows = _asked(database, sql)
            print(f"  {name:16} {wall:6.2f} s wall {_cpu() - cpu:6.2f} s cpu {rows:9,} rows")


def _asked(database: Any, sql: str) -> tuple[float, int]:
    began = time.perf_counter()
    _, batches = database.ask(sql)
    rows = sum(batch.num_rows for batch in batches)
    return time.perf_counter() - began, rows


QUERIES = {
    "count": "SELECT record, count(*) FROM elements GROUP BY ALL",
    "gaps": """
        SELECT host, quantile_cont(gap, 0.99) FROM (
            SELECT host, last_time - lag(last_time) OVER (
                PARTITION BY capture, connection ORDER BY last_packet) AS gap
            FROM elements WHERE record = 'sse_event')
        GROUP BY host
    """,
    "one-capture": """
        SELECT count(*), max(size) FROM elements
        WHERE capture = (SELECT min(capture) FROM exchanges)
    """,
    "per-minute": """
        SELECT date_trunc('minute', time) AS minute, host, sum(size)
        FROM elements WHERE record = 'chunk' GROUP BY ALL
    """,
}


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "what", choices=("small", "streams", "workers", "spread", "kills", "ring", "queries")
    )
    parser.add_argument("--captures", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--gigabytes", type=float, nargs="*", default=[0.02, 0.2, 2.0])
    parser.add_argument("--elements", type=int, default=10_000_000)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    most = chosen.captures[-1]
    ways: dict[str, Callable[[Path], None]] = {
        "small": lambda folder: small(folder, chosen.captures, chosen.rounds),
        "streams": lambda folder: streams(folder, chosen.connections, chosen.rounds),
        "workers": lambda folder: workers(folder, most, chosen.workers),
        "spread": lambda folder: spread(folder, chosen.gigabytes[0], chosen.workers[1:]),
        "kills": lambda folder: kills(folder, most, chosen.seed),
        "ring": lambda folder: ring(folder, chosen.gigabytes),
        "queries": lambda folder: queries(folder, chosen.elements),
    }
    with TemporaryDirectory(prefix="wireproof-scale-") as folder:
        ways[chosen.what](Path(folder))


if __name__ == "__main__":
    main()
