"""From captures and data sets to a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from parsers import KeyLog

from ..tables.dataset import DataSet
from ..tables.files import filesystem_of, found, is_url
from ..tables.kinds import Kind
from ..tables.parts import is_data_set, reason
from ..tables.reading import Opened, TableOptions, Tables
from .profile import Gathering, Profile, decoded

KINDS: tuple[Kind, ...] = ("exchanges", "verdicts", "connections")
Say = Callable[[str], object]


def profile_of(
    sources: Sequence[str], say: Say = lambda _: None, *, keylog: KeyLog | None = None
) -> Profile:
    """Return what captures, folders, data sets or a stored baseline came to.

    Raises OSError, and ValueError for what is none of these.
    """
    gathering = Gathering()
    captures = []
    for source in sources:
        if source.endswith(".json") and not is_url(source):
            if len(sources) > 1:
                raise ValueError("a baseline is compared alone")
            return decoded(Path(source).read_bytes())
        if is_data_set(source):
            _add_data_set(source, gathering)
        else:
            captures.append(source)
    tables = Tables(TableOptions(KINDS, policy="none", keylog=keylog))
    for capture in found(captures):
        with _naming(capture.name), Opened(capture, tables.options) as opened:
            for kind, batch in tables.add(opened):
                gathering.add(kind, batch)
    for kind, batch in tables.finish():
        gathering.add(kind, batch)
    return gathering.profile()


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Have errors name the file of a run that they are about. Raises OSError."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise OSError(None, reason(error), file) from error


def _add_data_set(source: str, gathering: Gathering) -> None:
    import pyarrow.parquet as pq

    for kind, files in DataSet(source).files().items():
        for path in files if kind in KINDS else ():
            with _naming(path), ExitStack() as stack:
                place: object = path
                if is_url(path):
                    filesystem, name = filesystem_of(path)
                    place = stack.enter_context(filesystem.open(name, "rb"))
                batches: Iterable[object] = pq.ParquetFile(place).iter_batches()
                for batch in batches:
                    gathering.add(kind, batch)
