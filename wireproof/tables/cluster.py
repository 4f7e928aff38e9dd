"""A data set by many processes: Dask's workers, on this machine or wherever a scheduler has them.

Strategy: a task is one part, and nothing is handed on between tasks: a worker reads its captures
and writes into the data set itself, so memory is that of one capture a worker, and what is written
does not depend on how many there are. A capture so large that one worker would be at it when the
others are done is spread over all of them, connection by connection (:mod:`.shares`). A worker that
dies costs what it was at: Dask gives that to another, and nothing of it counts until its manifest
is there. What several workers died of is tried last, one capture after the other and for nothing,
so that a capture is given up for what it did itself, and told like one that cannot be read. The
part is made of the others then, whole: the same files as if nothing had died.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

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
NO_PAGE = b"for the dashboard.</p>"
"""What Dask's page says without bokeh, after which version that has to be."""
PATIENCE = 5.0
"""Seconds in which that page answers."""
STARTS = 5
"""How often a cluster is started whose workers end while they start."""


def make(
    place: str, captures: Sequence[Capture], options: TableOptions, left_out: Sequence[Done] = ()
) -> list[Done]:
    """Make a part of a data set, but for what is ``left_out``: what a worker does."""
    collect_rarely()
    return DataSet(place).make_part(captures, options, left_out=left_out)


def attempt(capture: Capture, options: TableOptions) -> list[Done]:
    """Make a capture where nobody looks, and its worker tidies up: what a worker does, or dies
    of."""
    with TemporaryDirectory(dir=_distributed().get_worker().local_directory) as place:
        return make(place, [capture], options)


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
    deadly: list[Sequence[Capture]] = []

    def submit(part: Sequence[Capture]) -> Any:
        future = client.submit(make, place, part, options, pure=False)
        running[future.key] = part
        return future

    first = [submit(part) for part in islice(waiting, AT_ONCE)]
    for capture in spread:
        try:
            yield _spread(place, capture, options, client)
        except _distributed().KilledWorker:
            deadly.append([capture])
    completed = _distributed().as_completed(first, loop=client.loop)
    for future in completed:
        part = running.pop(future.key)
        found = _result(future)
        yield from found or ()
        deadly += [] if found else [part]
        completed.update(map(submit, islice(waiting, 1)))
    for part in deadly:
        yield from _made_of_the_living(place, part, options, client)


def _made_of_the_living(
    place: str, part: Sequence[Capture], options: TableOptions, client: Any
) -> list[Done]:
    """Make a part that workers died of, without the captures that one dies of alone. Raises
    OSError."""

    def alone(work: Callable[..., list[Done]], *given: object) -> list[Done] | None:
        # Nothing else runs: a worker that dies takes what waits for it for guilty, too.
        return _result(client.submit(work, *given, pure=False))

    if len(part) == 1:
        return alone(make, place, part, options) or [_deadly(part[0])]
    left_out = [_deadly(one) for one in part if alone(attempt, one, options) is None]
    if len(left_out) == len(part):
        return left_out
    # If none is deadly, workers die of something else: this process is still there.
    return alone(make, place, part, options, left_out) or make(place, part, options, left_out)


def _deadly(capture: Capture) -> Done:
    return Done(capture.name, None, error="every worker that took it died")


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
    with ExitStack() as stack:
        target: Any = scheduler
        stack.enter_context(_quiet())
        if scheduler is None:
            stack.enter_context(import_module("dask").config.set(LOST_AFTER))
            target = stack.enter_context(_local_cluster(workers))
        client = stack.enter_context(_client(target, scheduler))
        if has_page(client.dashboard_link):
            say(f"Dask's page: {client.dashboard_link}")
        try:
            yield client
        except (CancelledError, _distributed().comm.CommClosedError) as error:
            said = "the scheduler is gone: what is done counts; run it again with another"
            raise OSError(None, said, scheduler) from error


def has_page(address: str) -> bool:
    """Whether there is a page of Dask's: a scheduler names an address without one, too. What cannot
    be reached from here may be from elsewhere."""
    try:
        with urlopen(address, timeout=PATIENCE) as page:  # noqa: S310  # as Dask gave it
            return NO_PAGE not in page.read()
    except HTTPError:  # of --no-dashboard: it has other pages
        return False
    except (OSError, ValueError):
        return True


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
    for left in reversed(range(STARTS)):
        try:
            return _distributed().LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # it listens without bokeh too
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError as error:  # as Dask says it, whatever ended one of them
            if not left:
                said = f"no workers, started {STARTS} times: {error}; run it again"
                raise OSError(None, said, "--workers") from error
    raise AssertionError("the last time returns or raises")


def _distributed() -> Any:
    """Return Dask's library, of which a part is typed."""
    return import_module("distributed")


def _client(target: Any, scheduler: str | None) -> Any:
    try:
        return _distributed().Client(target, set_as_default=False)
    except (OSError, ValueError) as error:  # its timeout is an OSError
        raise OSError(None, f"no scheduler there: {error}", scheduler) from error
