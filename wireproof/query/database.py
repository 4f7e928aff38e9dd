"""A database of captures and data sets: DuckDB, with a view for each table, and ``streams``.

Strategy: of a data set the files that count are scanned where they are; captures become a data set
of their own first, in a temporary folder, so that any query may read them as often as it likes and
memory does not grow with them. A table without rows is empty, and has its columns. Nothing is
downloaded: extensions that are not there are an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from ..tables.dataset import DataSet, NothingYet
from ..tables.faulty import Faulty
from ..tables.files import filesystem_of, is_url
from ..tables.kinds import KINDS, Kind, schema
from ..tables.parts import is_data_set
from ..tables.places import once, places
from ..tables.reading import TableOptions
from .streams import STREAMS, ring_files

ROWS = 10_000
"""Rows of a result that are handed on together."""
SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
MAGIC = re.compile(r"[*?[]")
"""What a pattern has that names no file as it is."""
Say = Callable[[str], object]
Answer = TypeVar("Answer")


class Unanswered(ValueError):
    """What a query came to nothing for may be the files: it is none of the query's own faults."""


class Database:
    """What can be asked; a context manager's, as :func:`opened` gives it."""

    def __init__(self, connection: Any, left_out: int) -> None:
        self.left_out = left_out
        """Captures and parts of data sets that could not be read."""
        self._connection = connection

    def ask(self, sql: str) -> tuple[Any, Iterator[Any]]:
        """Return a result's columns as pyarrow.Schema, and its rows as pyarrow.RecordBatch.

        Raises ValueError for no statement and for what DuckDB cannot do, Unanswered if files may be
        why; the batches raise them too.
        """
        import duckdb

        try:
            relation = self._connection.sql(sql)
            if relation is None:
                raise ValueError("there is no statement in it")
            reader = relation.to_arrow_reader(ROWS)
        except duckdb.Error as error:
            raise _fault(error) from error
        return reader.schema, _batches(reader)


def _batches(reader: Any) -> Iterator[Any]:
    import duckdb

    try:
        yield from reader
    except (duckdb.Error, OSError) as error:  # Arrow words DuckDB's as an OSError
        raise _fault(error) from error


def _fault(error: Exception) -> ValueError:
    """Return an error to be raised: what a query says itself is not asked again."""
    import duckdb

    own = duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.DataError
    kind = ValueError if isinstance(error, own) else Unanswered
    return kind(_plain(error))


def _plain(error: Exception | str) -> str:
    """Return an error in one line: DuckDB's go on with the query and where in it."""
    text, _, place = str(error).partition("\n\n")
    near = place.splitlines()[0].strip() if place.startswith("LINE") else ""
    return " ".join(f"{text}{f', in {near}' if near else ''}".split())


@contextmanager
def opened(
    sources: Sequence[str],
    options: TableOptions,
    say: Say,
    *,
    separate: bool = False,
    thoroughly: bool = False,
) -> Iterator[Database]:
    """Give a database of data sets and captures: paths, folders, patterns, URLs.

    ``say`` is told of what is left out: captures that cannot be read, parts of data sets that are
    damaged; all of their files are read to see that, if ``thoroughly``. It is told which captures
    are not whole, too. Raises OSError,
    NothingToRead, ValueError for a data set all of which is damaged, and Unanswered for a file that
    is no Parquet.
    """
    import duckdb

    left_out: list[str] = []

    def leave_out(message: str) -> None:
        left_out.append(message)
        say(message)

    with ExitStack() as stack:
        connection = stack.enter_context(duckdb.connect(":memory:", config=dict(SETTINGS)))
        connection.execute("SET TimeZone = 'UTC'")
        files: dict[str, list[str]] = {}
        faulty, names = Faulty(), list[str]()
        for place in places(sources, options, leave_out, stack, separate=separate):
            _check_name(place)
            if is_url(place):
                connection.register_filesystem(filesystem_of(place)[0])
            data_set = DataSet(place)
            try:
                of_place = data_set.files(leave_out, thoroughly=thoroughly)
            except NothingYet as error:
                raise OSError(None, str(error), place) from error
            for kind, found in of_place.items():
                files.setdefault(kind, []).extend(found)
            captures = list(data_set.captures())
            faulty.add(captures)
            names += [made.capture for made in captures]
        if faulty.told:
            say(faulty.told)
        for kind in KINDS:
            if kind in files:
                _view(connection, kind, files[kind])
            else:
                _table(connection, kind, schema(kind).empty_table())
        _table(connection, "ring_files", ring_files(names))
        connection.execute(STREAMS)
        yield Database(connection, len(left_out))


def answered(
    sources: Sequence[str],
    options: TableOptions,
    say: Say,
    stack: ExitStack,
    ask: Callable[[Database], Answer],
) -> Answer:
    """Return what a database answers, which goes with ``stack``.

    If DuckDB cannot read a file of a data set, all of them are compared with what was written, and
    the rest is asked: bytes that changed have the size that they had. Raises as :func:`opened` and
    ``ask`` do.
    """
    say = once(say)
    with ExitStack() as trying:
        try:
            found = ask(trying.enter_context(opened(sources, options, say)))
        except Unanswered:
            if not any(map(is_data_set, sources)):
                raise
        else:
            stack.push(trying.pop_all())
            return found
    return ask(stack.enter_context(opened(sources, options, say, thoroughly=True)))


def _check_name(place: str) -> None:
    """Raise OSError for a name that is no text, as Python has it of bytes that are no UTF-8."""
    try:
        place.encode()
    except UnicodeEncodeError as error:
        raise OSError(None, "its name is not UTF-8, and DuckDB opens no other", place) from error


def _view(connection: Any, kind: Kind, files: Sequence[str]) -> None:
    """Make a view of a table's files. Raises Unanswered for one that cannot be read."""
    import duckdb

    named = ", ".join("'" + _literal(one).replace("'", "''") + "'" for one in files)
    try:
        written = f"SELECT * FROM read_parquet([{named}])"
        connection.execute(f"CREATE VIEW {kind} AS {written}")
        if lacking := _lacking(connection, kind):
            connection.execute(
                f"CREATE OR REPLACE VIEW {kind} AS SELECT *, {lacking} FROM ({written})"
            )
    except duckdb.Error as error:
        raise Unanswered(_plain(str(error).partition("\n\n")[0])) from error


def _lacking(connection: Any, kind: Kind) -> str:
    """Return the columns that a table of an older version lacks, empty, in SQL."""
    has = frozenset(connection.table(kind).columns)
    wanted = connection.from_arrow(schema(kind).empty_table())
    return ", ".join(
        f"CAST(NULL AS {type_}) AS {name}"
        for name, type_ in zip(wanted.columns, wanted.types, strict=True)
        if name not in has
    )


def _table(connection: Any, name: str, rows: Any) -> None:
    """Make a table of a pyarrow.Table."""
    connection.register("rows", rows)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    connection.unregister("rows")


def _literal(file: str) -> str:
    """Return a path as a pattern of DuckDB's that means this file alone."""
    return file if is_url(file) else MAGIC.sub(r"[\g<0>]", file)
