"""From captures and data sets to a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from parsers import KeyLog

from ..tables.dataset import DataSet
from ..tables.files import filesystem_of, is_url
from ..tables.kinds import Kind
from ..tables.parts import reason
from ..tables.places import once, places
from ..tables.reading import TableOptions
from .profile import READ, Gathering, Profile, decoded

KINDS = cast("tuple[Kind, ...]", tuple(READ))
Say = Callable[[str], object]


class Damaged(OSError):
    """A table's file cannot be read."""


def profile_of(
    sources: Sequence[str],
    leave_out: Say | None = None,
    *,
    keylog: KeyLog | None = None,
    note: Say = lambda _: None,
) -> Profile:
    """Return what captures, folders, data sets or a stored baseline came to.

    ``leave_out`` is told of captures and of parts of data sets that cannot be read, which are left
    out; without it one is an error. ``note`` is told which captures are not whole. Raises OSError,
    and ValueError for what is none of these, or if all is left out.
    """
    if any(source.endswith(".json") and not is_url(source) for source in sources):
        if len(sources) > 1:
            raise ValueError("a baseline is compared alone")
        return decoded(Path(sources[0]).read_bytes())
    options = TableOptions(KINDS, policy="none", keylog=keylog)
    say = leave_out and once(leave_out)
    with ExitStack() as stack:
        found = places(sources, options, say or _refuse, stack)
        try:
            gathered = _gathered(found, say)
        except Damaged:
            if say is None:
                raise
            gathered = _gathered(found, say, thoroughly=True)
    if gathered.faulty.told:
        note(gathered.faulty.told)
    return gathered.profile()


def _gathered(found: Sequence[str], say: Say | None, *, thoroughly: bool = False) -> Gathering:
    gathering = Gathering()
    for place in found:
        _add_data_set(place, gathering, say, thoroughly=thoroughly)
    return gathering


def _refuse(message: str) -> None:
    raise ValueError(message)


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Have errors name the file of a run that they are about. Raises Damaged."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Damaged(None, reason(error), file) from error


def _add_data_set(source: str, gathering: Gathering, say: Say | None, *, thoroughly: bool) -> None:
    import pyarrow.parquet as pq

    data_set = DataSet(source)
    for kind, files in data_set.files(say, thoroughly=thoroughly).items():
        for path in files if kind in KINDS else ():
            with _naming(path), ExitStack() as stack:
                place: object = path
                if is_url(path):
                    filesystem, name = filesystem_of(path)
                    place = stack.enter_context(filesystem.open(name, "rb"))
                file = pq.ParquetFile(place)  # of an older version, it may lack a column
                wanted = [name for name in READ[kind] if name in file.schema_arrow.names]
                for batch in file.iter_batches(columns=wanted):
                    gathering.add(kind, batch)
    gathering.faulty.add(data_set.captures())
