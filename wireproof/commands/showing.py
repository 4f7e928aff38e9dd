"""The options that say what rows show of an element, the same for every command with rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .exits import Unreadable, need

if TYPE_CHECKING:
    from ..dialects.reader import Readers

C = TypeVar("C", bound=Callable[..., Any])


def showing_options(command: C) -> C:
    """Give a command ``--select`` and ``--raw``; it gets both by name."""
    select = click.option(
        "--select",
        metavar="EXPR",
        help="Show only the part of each element's JSON that this JMESPath expression selects: "
        "choices[0].delta.content.",
    )
    raw = click.option(
        "--raw", is_flag=True, help="Show data as on the wire, even if its API is known."
    )
    return select(raw(command))


def readers_of(select: str | None, raw: bool) -> Readers | None:
    """Return what makes the readers that these options ask for, None if they are not given.

    Raises what ends a command: for what is no expression, and if its library is missing.
    """
    if select is not None and raw:
        raise click.UsageError(
            "--select and --raw cannot be combined: rows show one or the other",
            click.get_current_context(),
        )
    if raw:
        from ..dialects.reader import RawReader

        return RawReader
    if select is None:
        return None
    need("select", "--select")
    from ..dialects.selecting import Selection

    try:
        return Selection(select)
    except ValueError as error:
        raise Unreadable(f"--select {select!r}: {error}") from error


def view_of_rows(name: str, is_asked: bool, readers: Readers | None) -> str:
    """Return the view that has rows where it was left open; refuse one for programs."""
    from ..views.kinds import VIEWS, ExportKind

    if readers is None or not isinstance(VIEWS[name], ExportKind):
        return name
    if is_asked:
        raise click.UsageError(
            f"--select and --raw change the rows of a table: {name} has the data as it is",
            click.get_current_context(),
        )
    return "table"
