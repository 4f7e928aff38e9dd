"""A data set by many processes: Dask's workers, on this machine or wherever a scheduler has them.

Strategy: a task is one part, and nothing is handed on between tasks: a worker reads its captures
and writes into the data set itself, so memory is that of one capture a worker, and what is written
does not depend on how many there are. A capture so large that one worker would be at it when the
others are done is spread over all of them, connection by connection (:mod:`.shares`). A worker that
dies costs what it was at: Dask gives that to another, and nothing of it counts until its manifest
is there. What several workers died of is made last, one capture after the other, so that a capture
is given up for what it did itself, and told like one that cannot be read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any

from ..collector import collect_rarely
from .dataset import DataSet, Plan
from .files import Capture
from .kinds import Kind
from .parts import PART_SIZE, Done
from .reading import TableOptions
from .shares import Joined, Share, Told, finish, groups, join, remove, shares_of

AT_ONCE = 1_000
"""Tasks that a scheduler holds at once: it is slow with a hundred thousand."""
LOST_AFTER = {"distributed.deploy.lost-worker-timeout": "1 hour"}
"""How long a worker that died may take to start again: on a busy machine that is more than the 15
seconds after which Dask would go on without it, and with none at all would wait for ever."""


def make(place: str, captures: Sequence[Capture], options: TableOptions) -> list[Done]:
    """Make a part of a data set: what a worker does."""
    collect_rarely()
    return DataSet(place).make_part(captures, options)


def large(plan: Plan, workers: int) -> list[Sequence[Capture]]:
    """Return the parts that are spread over workers: captures of more than a worker's share of
    what is to be made."""
    fair = max(sum(plan.sizes) / workers, PART_SIZE)
    sized = zip(plan.parts, plan.sizes, strict=True)
    return [part for part, size in sized if size > fair and len(part) == 1 and workers > 1]


def made(
    place: str,
    parts: Iterable[Sequence[Capture]],
    options: TableOptions,
    client: Any,
    spread: Iterable[Capture] = (),
) -> Iterator[Done]:
    """Yield what became of each capture, as workers are done with it. Raises OSError for a data set
    that cannot be written.

    Those to ``spread`` are of all workers, one after the other; whoever has nothing to do for them
    makes ``parts``.
    """
    waiting = iter(parts)
    running: dict[str, Sequence[Capture]] = {}
    deadly: list[Capture] = []

    def submit(part: Sequence[Capture]) -> Any:
        future = client.submit(make, place, part, options, pure=False)
        running[future.key] = part
        return future

    first = [submit(part) for part in islice(waiting, AT_ONCE)]
    for capture in spread:
        try:
            yield _spread(place, capture, options, client)
        except _distributed().KilledWorker:
            deadly.append(capture)
    completed = _distributed().as_completed(first, loop=client.loop)
    for future in completed:
        part = running.pop(future.key)
        found = _result(future)
        yield from found or ()
        deadly += part if found is None else ()
        completed.update(map(submit, islice(waiting, 1)))
    for capture in deadly:
        found = _result(submit([capture]))
        yield from found or [Done(capture.name, None, error="every worker that took it died")]


def _spread(place: str, capture: Capture, options: TableOptions, client: Any) -> Done:
    """Make a capture by all workers. Raises KilledWorker, and OSError for a data set that cannot
    be written."""
    shares = shares_of(place, capture, options, workers_of(client))
    # Before what is small: that fills the time in which some have nothing to do.
    several = partial(client.map, pure=False, priority=1)
    told = [future.result() for future in several(decode, shares)]
    if failed := [one for one in told if isinstance(one, Done)]:
        remove(place, [shares[0].name])
        return failed[0]
    wanted = [(shares, told[0], kinds) for kinds in groups(options.kinds)]
    joined = [future.result() for future in several(write, wanted)]
    return finish(shares, told[0], joined)


def decode(share: Share) -> Told | Done:
    """Decode a share of a capture: what a worker does."""
    collect_rarely()
    return share.decode()


def write(wanted: tuple[Sequence[Share], Told, tuple[Kind, ...]]) -> Joined:
    """Write some tables of all shares: what a worker does."""
    collect_rarely()
    return join(*wanted)


def workers_of(client: Any) -> int:
    """Return how many tasks run at a time."""
    return sum(client.nthreads().values())


def _result(future: Any) -> list[Done] | None:
    """Return what a task gave; None if the workers died that took it."""
    try:
        found: list[Done] = future.result()
    except _distributed().KilledWorker:
        return None
    return found


@contextmanager
def cluster(workers: int, scheduler: str | None, say: Callable[[str], object]) -> Iterator[Any]:
    """Give a client of a scheduler's, or of a cluster of so many processes on this machine.

    ``say`` is told where Dask's own page of it is. Raises OSError if the scheduler cannot be
    reached or is gone before the work is done, or a worker ends while it starts.
    """
    has_page = find_spec("bokeh") is not None
    with ExitStack() as stack:
        target: Any = scheduler
        stack.enter_context(_quiet())
        if scheduler is None:
            stack.enter_context(import_module("dask").config.set(LOST_AFTER))
            target = stack.enter_context(_local_cluster(workers))
        client = stack.enter_context(_client(target, scheduler))
        if has_page or scheduler is not None:
            say(f"Dask's page: {client.dashboard_link}")
        try:
            yield client
        except (CancelledError, _distributed().comm.CommClosedError) as error:
            said = "the scheduler is gone: what is done counts; run it again with another"
            raise OSError(None, said, scheduler) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Dask's client log nothing of what is told by whoever uses it."""
    _distributed()  # which sets up its logs
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _local_cluster(workers: int) -> Any:
    try:
        return _distributed().LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # it listens without bokeh too
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:  # as Dask says it, whatever ended one of them
        raise OSError(None, f"no workers: {error}; run it again", "--workers") from error


def _distributed() -> Any:
    """Return Dask's library, of which a part is typed."""
    return import_module("distributed")


def _client(target: Any, scheduler: str | None) -> Any:
    try:
        return _distributed().Client(target, set_as_default=False)
    except (OSError, ValueError) as error:  # its timeout is an OSError
        raise OSError(None, f"no scheduler there: {error}", scheduler) from error
