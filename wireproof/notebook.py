"""A capture in a notebook: ``wireproof.open("x.pcapng")``.

Strategy: what Jupyter shows is what commands show, as HTML that needs nothing else: the list of
``ls``, and the picture of ``plot``. Records become a table of Arrow's, with the columns of Parquet;
pandas and polars take that. A table holds all records, so its size is the capture's.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cached_property
from html import escape as markup
from importlib import import_module
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

from parsers import KeyLog, decode_batches
from parsers.records import Record

from .analysis.exchange_filter import ExchangeFilter, ExchangeNumber
from .analysis.listing import Listed
from .analysis.outcomes import Outcome, outcomes
from .analysis.selection import Chosen, select
from .export.parquet import arrow_table
from .extras import lacks
from .open_exchanges import Key
from .text.escape import escape
from .views.exchange_list import brief, grpc_text
from .views.verdicts.words import fine, leading, request_line, summary

MAX_ROWS = 500
"""Exchanges of a table; more are counted."""
WIDTH = 100
"""Cells of a request's line."""
STYLE = """
.wireproof{border-collapse:collapse;font:12.5px/1.5 system-ui,sans-serif}
.wireproof th,.wireproof td{padding:3px 12px;text-align:left;border-bottom:1px solid #8a94a055}
.wireproof td{font-variant-numeric:tabular-nums}
.wireproof :is(th,td):is(:nth-child(1),:nth-child(5),:nth-child(6),:nth-child(7)){text-align:right}
.wireproof td:nth-child(2){font-family:ui-monospace,monospace;overflow-wrap:anywhere}
"""
"""What a table looks like, on light ground and dark: lines and places, but no colours of text."""
HEADS = ("#", "Request", "Status", "Transport", "First", "Last", "Count", "Verdict, end")


def open_capture(
    path: str | PathLike[str], *, keylog: str | PathLike[str] | None = None
) -> Capture:
    """Return a capture. Raises OSError, and ValueError if it is no capture file."""
    return Capture(Path(path), None if keylog is None else KeyLog.open(keylog))


class _Records:
    """Records, as they come or as a table."""

    def records(self, *, keep_data: bool = True) -> Iterator[Record]:
        """Yield them in the order in which packets complete them."""
        raise NotImplementedError

    def to_arrow(self, kind: str | None = None) -> Any:
        """Return a pyarrow.Table: a row a record, a column a field, and ``time`` of the last
        packet. With ``kind``, as ``sse_event``, it has the records of this kind alone, and of
        their columns those that hold anything. Raises ImportError without the extra ``notebook``,
        as the next two do."""
        _need("pyarrow")
        table = arrow_table(self.records())
        return table if kind is None else _of_kind(table, kind)

    def to_pandas(self, kind: str | None = None) -> Any:
        """Return the same as a pandas.DataFrame."""
        _need("pandas")
        return self.to_arrow(kind).to_pandas()

    def to_polars(self, kind: str | None = None) -> Any:
        """Return the same as a polars.DataFrame."""
        return _need("polars").from_arrow(self.to_arrow(kind))


class Capture(_Records):
    """A capture file; a sequence of its exchanges, in the order in which they began."""

    def __init__(self, path: Path, keys: KeyLog | None) -> None:
        self.path = path
        self.keys = keys
        self.exchanges  # noqa: B018 # what is no capture is said at once

    @cached_property
    def exchanges(self) -> list[CapturedExchange]:
        with self.path.open("rb") as stream:
            found = outcomes(decode_batches(stream, keylog=self.keys))
            return [CapturedExchange(self, one) for one in found if one.listed.tls is None]

    def __len__(self) -> int:
        return len(self.exchanges)

    def __getitem__(self, number: int) -> CapturedExchange:
        return self.exchanges[number]

    def records(self, *, keep_data: bool = True) -> Iterator[Record]:
        with self.path.open("rb") as stream:
            for batch in decode_batches(stream, keep_data=keep_data, keylog=self.keys):
                yield from batch

    def __repr__(self) -> str:
        return f"<Capture {self.path.name!r} of {len(self):,} exchanges>"

    def _repr_html_(self) -> str:
        """Return the exchanges as a table."""
        shown = self.exchanges[:MAX_ROWS]
        more = f"<p>and {len(self) - MAX_ROWS:,} more</p>" if len(self) > MAX_ROWS else ""
        rows = "".join(_row(number, one.listed) for number, one in enumerate(shown))
        heads = "".join(f"<th>{markup(head)}</th>" for head in HEADS)
        table = f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
        return f'<style>{STYLE}</style><table class="wireproof">{table}</table>{more}'


class CapturedExchange(_Records):
    """One request and its response."""

    def __init__(self, capture: Capture, outcome: Outcome) -> None:
        self.capture = capture
        self.listed: Listed = outcome.listed
        """What the table says of it."""
        self.verdicts = outcome.verdicts

    @property
    def key(self) -> Key:
        return Key(self.listed.connection, self.listed.exchange)

    @property
    def summary(self) -> str:
        """What is said of it in a sentence."""
        first = leading(self.verdicts)
        return fine(self.listed) if first is None else summary(first)

    def records(self, *, keep_data: bool = True) -> Iterator[Record]:
        return select(self.capture.records(keep_data=keep_data), Chosen([self.key]))

    def __repr__(self) -> str:
        return f"<CapturedExchange {request_line(self.listed, WIDTH)}: {self.summary}>"

    def _repr_html_(self) -> str:
        """Return the timeline as a picture; without what draws it, the sentence and what to do."""
        said = markup(f"{request_line(self.listed, WIDTH)}: {self.summary}", quote=True)
        if lacking := lacks("plot"):
            names = ", ".join(map(str, lacking))
            hint = f"the timeline needs {names}: pip install 'wireproof[notebook]'"
            return f"<p>{said}</p><p>{markup(hint)}</p>"
        picture = b64encode(self._picture()).decode()
        return f'<img alt="{said}" src="data:image/svg+xml;base64,{picture}">'

    def _picture(self) -> bytes:
        from .plot.figure import draw
        from .plot.timeline import read_timeline

        number = ExchangeNumber(self.listed.exchange, self.listed.connection)
        wanted = ExchangeFilter(exchange=number)
        timeline, _ = read_timeline(str(self.capture.path), wanted, self.capture.keys)
        drawn = BytesIO()
        draw(timeline, drawn, "svg")
        return drawn.getvalue()


def _row(number: int, listed: Listed) -> str:
    ends: Iterable[str | None] = (listed.verdict, listed.end, grpc_text(listed))
    cells = (
        number,
        request_line(listed, WIDTH),
        "" if listed.status is None else listed.status,
        listed.transport,
        brief(listed.first),
        brief(listed.last),
        f"{listed.count:,}",
        ", ".join(filter(None, ends)),
    )
    return f"<tr>{''.join(f'<td>{markup(escape(str(cell)))}</td>' for cell in cells)}</tr>"


def _of_kind(table: Any, kind: str) -> Any:
    """Return the rows of a kind, without columns in which these have nothing."""
    import pyarrow.compute as compute

    rows = table.filter(compute.equal(table["record"], kind))
    if not rows.num_rows:
        return rows
    return rows.select([name for name in rows.column_names if rows[name].null_count < len(rows)])


def _need(name: str) -> Any:
    """Import a library of the extra, or say how it is had."""
    try:
        return import_module(name)
    except ImportError as error:
        hint = f"this needs {name}: pip install 'wireproof[notebook]'"
        raise ImportError(hint, name=name) from error
