"""A table as a dask.dataframe: of a data set, or of captures that nobody has exported.

Strategy: of a data set Dask reads the files that count, as it reads any Parquet. Of captures each
one is a partition, that a worker reads where it lies when it is wanted: nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from os import PathLike, fspath
from typing import Any

from .dataset import DataSet
from .files import Capture, found
from .kinds import Kind, schema
from .parts import is_data_set
from .reading import Opened, TableOptions, Tables


def dask(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    kind: Kind,
    **options: Any,
) -> Any:
    """Return one table as a dask.dataframe.

    ``source`` is a data set, or captures: paths, folders, patterns, URLs that fsspec opens, where
    files of one ring are one capture. Of captures ``options`` are those of :func:`.read`. Raises
    OSError for what is not there, and ValueError for a data set of another version.
    """
    dd: Any = import_module("dask.dataframe")  # a part of it is typed
    given = [source] if isinstance(source, (str, PathLike)) else list(source)
    names = [fspath(one) for one in given]
    if len(names) == 1 and is_data_set(names[0]):
        files = DataSet(names[0]).files().get(kind)
        if files:
            return dd.read_parquet(files, dtype_backend="pyarrow")
        return dd.from_pandas(_frame(kind, []), npartitions=1)
    wanted = TableOptions((kind,), **options)
    return dd.from_map(_partition, found(names), options=wanted, meta=_frame(kind, []))


def _partition(capture: Capture, options: TableOptions) -> Any:
    tables = Tables(options)
    with Opened(capture, options) as opened:
        batches = [batch for _, batch in tables.add(opened)]
    batches += [batch for _, batch in tables.finish()]
    return _frame(options.kinds[0], batches)


def _frame(kind: Kind, batches: list[Any]) -> Any:
    import pandas as pd
    import pyarrow as pa

    table = pa.Table.from_batches(batches, schema=schema(kind))
    return table.to_pandas(types_mapper=pd.ArrowDtype)
