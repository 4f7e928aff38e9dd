"""The thresholds of the judges with their reasons, as their source states them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import getsource
from types import ModuleType
from typing import NamedTuple

from wireproof.analysis import (
    arrivals,
    gaps,
    holders,
    pace,
    path,
    quiet,
    stream_view,
    tcp_steps,
    uploads,
)

JUDGES = (arrivals, path, tcp_steps, stream_view, pace, holders, gaps, quiet, uploads)
"""Modules whose rules have thresholds."""


class Threshold(NamedTuple):
    """A number that a rule compares with."""

    module: str
    name: str
    value: str
    reason: str


def thresholds(module: ModuleType) -> Iterator[Threshold]:
    """Yield the numbers that a module names at its top, each with the text under it."""
    body = ast.parse(getsource(module)).body
    for at, node in enumerate(body[:-1]):
        after = body[at + 1]
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        value = getattr(module, node.targets[0].id)
        if not isinstance(value, int | float | tuple) or not _is_number(value):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            name, reason = node.targets[0].id, " ".join(str(after.value.value).split())
            yield Threshold(module.__name__.rpartition(".")[2], name, _shown(value), reason)


def _is_number(value: object) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return all(isinstance(one, int | float) for one in values)


def _shown(value: object) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return " to ".join(f"{one:.3g}" if isinstance(one, float) else f"{one:,}" for one in values)


def table() -> str:
    """Return all of them as a table in Markdown."""
    lines = "| threshold | value | why |\n|---|---|---|\n"
    for module in JUDGES:
        for one in thresholds(module):
            reason = one.reason.replace("|", "\\|")
            lines += f"| `{one.module}.{one.name}` | {one.value} | {reason} |\n"
    return lines
