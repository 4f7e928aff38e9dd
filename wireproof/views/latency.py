"""What ``wireproof latency`` prints: for people, for spreadsheets, for programs.

Strategy: an answer is said in one sentence, then in a line for each metric with its definition
beside it, for the same name means different things to different people. Programs get a row a
metric; of gaps these are percentiles.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol, TextIO

import msgspec
from rich.console import Console

from ..analysis.latency.definitions import (
    FAMILIES,
    SOURCES,
    Family,
    Metric,
    Value,
    first_content,
    tpot,
)
from ..analysis.latency.report import LatencyReport, Measured, Spread, Total, spread
from ..analysis.latency.skew import Skew
from ..analysis.latency.times import Times
from ..text.escape import preview
from ..text.wording import count, duration
from .csv import without_formula
from .lines import Line
from .painter import Painter

TARGET_WIDTH = 60
NAME_WIDTH = 22
VALUE_WIDTH = 11


class LatencyRecord(msgspec.Struct, frozen=True, tag_field="record", tag="latency"):
    """One metric of one answer."""

    record: ClassVar[str] = "latency"
    connection: int
    exchange: int
    definition: Family
    """Whose definition it is."""
    name: str
    """As that has it; of gaps with ``_p50``, ``_p90``, ``_p99`` and ``_max``."""
    value: float | None
    """Seconds, but for rates and counts; null if the answer does not have it."""
    excluded: str | None
    """Why the answer has no part in the totals, null if it has."""
    tokens_from: str
    """How the number of tokens is known."""


class LatencyView(Protocol):
    """Shows answers as they are measured, and at the end what they come to together."""

    def show(self, measured: Measured, skew: Skew | None) -> None:
        """Show one answer."""

    def finish(self, report: LatencyReport) -> None:
        """Show the totals."""


def rows(measured: Measured) -> Iterator[LatencyRecord]:
    """Yield the metrics of an answer, a record each."""
    key = measured.exchange.key
    excluded = measured.excluded
    for family, metrics in measured.metrics.items():
        named = [pair for name, value in metrics.items() for pair in _named(name, value)]
        named += [
            ("output_tokens", float(measured.times.tokens)),
            ("tokens_per_event", measured.times.tokens_per_event),
        ]
        for name, value in named:
            yield LatencyRecord(
                key.connection,
                key.exchange,
                family,
                name,
                value,
                excluded,
                measured.times.tokens_from,
            )


def _named(name: str, value: Value) -> list[tuple[str, float | None]]:
    if value is None or isinstance(value, float | int):
        return [(name, value)]
    found = spread(value)
    if found is None:
        return []
    parts = ("p50", found.p50), ("p90", found.p90), ("p99", found.p99), ("max", found.max)
    return [(f"{name}_{part}", one) for part, one in parts]


class LatencyRows:
    """A record a line, in JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoder = msgspec.json.Encoder()

    def show(self, measured: Measured, skew: Skew | None) -> None:
        """Write the metrics of an answer."""
        for row in rows(measured):
            self._stream.write(self._encoder.encode(row).decode() + "\n")

    def finish(self, report: LatencyReport) -> None:
        """Totals are what a program makes of the rows."""


class LatencyCsv:
    """A row a metric, for spreadsheets."""

    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream)
        self._writer.writerow(LatencyRecord.__struct_fields__)

    def show(self, measured: Measured, skew: Skew | None) -> None:
        """Write the metrics of an answer."""
        for row in rows(measured):
            self._writer.writerow(map(without_formula, msgspec.structs.astuple(row)))

    def finish(self, report: LatencyReport) -> None:
        """Totals are what a spreadsheet makes of the rows."""


class LatencyJson:
    """One object: the answers with every value, and the totals."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._separator = '{"answers": ['

    def show(self, measured: Measured, skew: Skew | None) -> None:
        """Write an answer."""
        exchange, times = measured.exchange, measured.times
        request = exchange.request
        answer = {
            "connection": exchange.key.connection,
            "exchange": exchange.key.exchange,
            "method": request.method if request else None,
            "target": request.target if request else None,
            "dialect": times.dialect or None,
            "output_tokens": times.tokens,
            "tokens_from": times.tokens_from,
            "content_events": len(times.contents),
            "tokens_per_event": times.tokens_per_event,
            "metrics": measured.metrics,
            "warnings": measured.warnings,
            "excluded": measured.excluded,
            "skew": None if skew is None else {**skew._asdict(), "spread": skew.spread._asdict()},
        }
        self._stream.write(f"{self._separator}\n{msgspec.json.encode(answer).decode()}")
        self._separator = ","

    def finish(self, report: LatencyReport) -> None:
        """Write the totals."""
        totals = [
            {
                "target": total.target,
                "answers": total.measured,
                "excluded": total.broken,
                "metrics": {
                    family: {name: _spread(values) for name, values in samples.items()}
                    for family, samples in total.samples.items()
                },
            }
            for total in report.totals.values()
        ]
        begun = self._separator if self._separator != "," else ""
        self._stream.write(f'{begun}],\n"totals": {msgspec.json.encode(totals).decode()}}}\n')


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    found = spread(values)
    return None if found is None else found._asdict()


class LatencyTable:
    """For people, on a rich console."""

    def __init__(self, console: Console, width: int | None = None) -> None:
        self._painter = Painter(console, width)

    def show(self, measured: Measured, skew: Skew | None) -> None:
        """Print an answer."""
        lines: list[Line] = [_headline(measured)]
        for family, metrics in measured.metrics.items():
            lines.append([(f"  {family}", "heading"), (f"  {SOURCES[family]}", "faint")])
            found = [
                line
                for metric in FAMILIES[family]
                for line in _metric_lines(metric, metrics[metric.name])
            ]
            lines += found or [[("    not defined for this dialect", "faint")]]
        if skew is not None:
            lines += _skew_lines(skew)
        lines += [[("  ! ", "warning"), (warning, "")] for warning in measured.warnings]
        self._print([*lines, []])

    def finish(self, report: LatencyReport) -> None:
        """Print the totals, if several answers have been measured."""
        if sum(total.measured + total.broken for total in report.totals.values()) < 2:
            return
        self._print([[("By target", "title")]])
        for total in report.totals.values():
            self._print(_total_lines(total))

    def _print(self, lines: list[Line]) -> None:
        self._painter.print(self._painter.paint(lines))


def _headline(measured: Measured) -> Line:
    exchange, times = measured.exchange, measured.times
    request = exchange.request
    name = "" if request is None else f"{request.method} {request.target}"
    title = preview(name, "utf-8", TARGET_WIDTH)
    key = exchange.key
    where = f" ({key.connection}/{key.exchange}{', ' if times.dialect else ''}{times.dialect})"
    return [(title, "title"), (where, "faint"), (f": {_said(times)}", "")]


def _said(times: Times) -> str:
    if not times.contents:
        return f"no content in {count(len(times.chunks), 'event')}"
    tokens, each = count(times.tokens, "token"), tpot(times)
    if times.holes and (first_content(times) is None or each is None):
        return f"{tokens} captured; the capture lacks bytes of the response"
    if not times.is_asked:
        return f"{tokens} captured; the capture lacks the end of the request"
    first = f"first token after {duration(times.contents[0])}"
    if each is None:
        return f"{first}, {tokens}"
    rate = f", {1 / each:.1f} a second" if each > 0 else ""
    return f"{first}, then one every {duration(each)} ({tokens}{rate})"


def _metric_lines(metric: Metric, value: Value) -> list[Line]:
    name = (f"    {metric.name:<{NAME_WIDTH}}", "field")
    meaning = (f"  {metric.meaning}", "faint")
    if value is None:
        return []
    if isinstance(value, float | int):
        shown = f"{value:.1f}/s" if metric.is_rate else duration(value)
        return [[name, (f"{shown:>{VALUE_WIDTH}}", ""), meaning]]
    found = spread(value)
    return [] if found is None else [[name, (_parts(found), ""), meaning]]


def _parts(found: Spread) -> str:
    parts = ("p50", found.p50), ("p90", found.p90), ("p99", found.p99), ("max", found.max)
    return "  ".join(f"{name} {duration(value)}" for name, value in parts)


def _skew_lines(skew: Skew) -> list[Line]:
    said = f"the log runs at least {duration(skew.least)} behind the wire: {_parts(skew.spread)}"
    lines: list[Line] = [[("    log - wire  ", "field"), (said, "")]]
    if skew.unmatched:
        unmatched = f"{count(skew.unmatched, 'element')} of one of the two has no counterpart"
        lines.append([("  ! ", "warning"), (unmatched, "")])
    return lines


def _total_lines(total: Total) -> list[Line]:
    title = preview(total.target, "utf-8", TARGET_WIDTH)
    said = count(total.measured, "answer")
    if total.broken:
        said += f", and {total.broken:,} more that failed or did not end as they should"
    lines: list[Line] = [[("  ", ""), (title, "title"), (f": {said}", "")]]
    for family, samples in total.samples.items():
        lines.append([(f"    {family}", "heading")])
        for metric in FAMILIES[family]:
            found = None if metric.is_rate else spread(samples[metric.name])
            if found is not None:
                lines.append([(f"      {metric.name:<{NAME_WIDTH}}", "field"), (_parts(found), "")])
    return lines
