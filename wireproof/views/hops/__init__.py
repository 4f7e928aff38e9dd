"""What is said of hops, in a format on a stream: for people and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ...analysis.hops.report import Report

Show = Callable[["Report"], None]


def _table(stream: TextIO, elements: int) -> Show:
    from rich.console import Console

    from ..kinds import table_width
    from .table import HopsTable

    console = Console(file=stream)
    return HopsTable(console, elements, table_width(console)).show


def _json(stream: TextIO, elements: int) -> Show:
    from .json import write_json

    return lambda report: write_json(report, stream, elements)


def _ndjson(stream: TextIO, elements: int) -> Show:
    from .json import write_ndjson

    return lambda report: write_ndjson(report, stream)


FORMATS: dict[str, Callable[[TextIO, int], Show]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
}
"""Every format, and what opens it on a text stream for so many elements."""
