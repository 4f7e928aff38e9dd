"""What ``wireproof export`` does with many captures: a data set of them, by this process or others.

Strategy: what is there is left out, and the rest is made part by part, by whoever makes it: this
process, several of its own, each of which makes whole parts, or Dask's. Its captures are told as
they are done, and what cannot be read is told and left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..tasks.several import SeveralTeam, jobs_for, size_of
from ..tasks.worker_died import WorkerDied
from .dataset import DataSet, Plan
from .faulty import Faulty
from .files import Capture, found, is_url
from .kinds import KINDS
from .parts import MANIFESTS, SHARES, Done, name_of
from .reading import TableOptions

Say = Callable[[str], object]


class ExportJob(NamedTuple):
    """The options of ``wireproof export`` for a data set."""

    sources: Sequence[str]
    """Files, folders, patterns, URLs."""
    place: str
    """A folder, or a URL that fsspec opens."""
    options: TableOptions
    merged: bool = False
    """Whether all files are one stream of packets, by time."""
    together: bool = True
    """Whether the files of one ring are one capture."""
    workers: int = 0
    """How many processes of Dask's make it, on this machine; 0: this one."""
    scheduler: str | None = None
    """The address of a scheduler of Dask's whose workers make it."""
    jobs: int | None = None
    """How many processes of our own make it, at most. None: as many as help."""
    thoroughly: bool = False
    """Whether all files that are there are read, to see that they are what was written."""


class ExportTally(NamedTuple):
    """What came of it."""

    captures: int
    made: int
    """Captures that were made now; the others were there."""
    rows: int
    """Of all captures, in all tables."""
    unreadable: int
    faulty: str = ""
    """Which captures are not whole, in words."""


def run(job: ExportJob, say: Say) -> ExportTally:
    """Make a data set. Raises OSError for a name that is nothing, and for what cannot be written,
    ValueError for a data set of another version, WorkerDied.

    ``say`` is told of each capture that cannot be read, and of what was damaged.
    """
    captures = found(job.sources, together=job.together, merged=job.merged)
    tally, faulty = ExportTally(0, 0, 0, 0), Faulty()
    with leaving_no_folders(job.place), progress(len(captures)) as advance:
        for done in _done(job, captures, say):
            advance()
            if done.made is None:
                say(f"{done.capture}: {done.error}")
            else:
                faulty.add([done.made])
            tally = _added(tally, done)
    return tally._replace(faulty=faulty.told)


@contextmanager
def leaving_no_folders(place: str) -> Iterator[None]:
    """Remove the folders of a data set in which nothing came to lie, if what is done breaks off."""
    if is_url(place):  # a store has no folders
        yield
        return
    folder = Path(place)
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except BaseException:
        within = (folder / name for name in (*KINDS, MANIFESTS, SHARES))
        for one in (*within, *made):
            with suppress(OSError):  # it is not there, or not empty
                one.rmdir()
        raise


def _done(job: ExportJob, captures: Sequence[Capture], say: Say) -> Iterator[Done]:
    data_set = DataSet(job.place)
    plan = data_set.plan(captures, job.options, thoroughly=job.thoroughly)
    for note in plan.notes:
        say(note)
    yield from plan.done
    if not plan.parts:
        return
    _remove_shares(job, plan)
    if job.workers or job.scheduler:
        yield from _made_by_dask(job, plan, say)
        return
    workers = _workers(job, plan.parts, say)
    if workers == 1:
        for part in plan.parts:
            yield from data_set.make_part(part, job.options)
        return
    yield from _made_together(job, plan.parts, data_set, workers, say)


def _remove_shares(job: ExportJob, plan: Plan) -> None:
    """Remove what a run that broke off had decoded of captures that are made now."""
    from .shares import remove

    names = [[capture.name for capture in part] for part in plan.parts]
    remove(job.place, [name_of(part, job.options.host) for part in names])


def _made_by_dask(job: ExportJob, plan: Plan, say: Say) -> Iterator[Done]:
    from .cluster import cluster, large, made, workers_of

    with cluster(job.workers, job.scheduler, say) as client:
        spread = large(plan, workers_of(client))
        rest = [part for part in plan.parts if part not in spread]
        yield from made(job.place, rest, job.options, client, chain.from_iterable(spread))


def _workers(job: ExportJob, parts: Sequence[Sequence[Capture]], say: Say) -> int:
    """Return how many processes of our own make parts: of what lies elsewhere one, for what speaks
    to that has threads."""
    files = [path for part in parts for capture in part for path in capture.files]
    if any(map(is_url, (job.place, *files))):
        return 1
    return min(jobs_for(files, job.jobs, say), len(parts))


def _made_together(
    job: ExportJob,
    parts: Sequence[Sequence[Capture]],
    data_set: DataSet,
    workers: int,
    say: Say,
) -> Iterator[Done]:
    """Yield what became of each capture, part by part in their order."""

    def make(part: Sequence[Capture], _: Say) -> Iterator[list[Done]]:
        yield data_set.make_part(part, job.options)

    sizes = [sum(size_of(path) for capture in part for path in capture.files) for part in parts]
    with SeveralTeam(parts, sizes, workers, make, list[Done]) as team:
        for index, part in enumerate(parts):
            try:
                for found_in_part in team.found(index, say):
                    yield from found_in_part
            except WorkerDied as died:
                died.source = part[0].name if len(part) == 1 else f"{part[0].name} and others"
                raise


def _added(tally: ExportTally, done: Done) -> ExportTally:
    rows = 0 if done.made is None else sum(done.made.rows.values())
    return ExportTally(
        tally.captures + 1,
        tally.made + (done.made is not None and done.is_new),
        tally.rows + rows,
        tally.unreadable + (done.made is None),
    )


@contextmanager
def progress(captures: int) -> Iterator[Callable[[], object]]:
    """Give what is called when a capture is done: a bar on a terminal, nothing elsewhere."""
    if captures < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TextColumn("captures")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=captures)
        yield lambda: bar.advance(task)
