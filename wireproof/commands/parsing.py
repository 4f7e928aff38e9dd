"""The rights that a command gives up before it parses, the same for every command that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import click

from .exits import say

R = TypeVar("R")
OWN_PROCESS = "own process"
"""What a context holds if the process is the command's, and not a program's that calls it."""
INPUTS = ("file", "files", "given", "captures", "keylog", "log", "script")
KEEP_RIGHTS = "Keep all of the caller's rights: root's, and access to all files."
OUTPUTS = ("output", "kept_in")
"""What names files that are read and written, as click names its values."""


def parses(
    *first: str,
    before: Callable[[Mapping[str, object]], Mapping[str, object]] = lambda _: {},
    reads: Callable[[Mapping[str, object]], str | None] = lambda _: None,
    listens: str | None = None,
    unless: str | Callable[[Mapping[str, object]], object] = "",
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Have a command give up its rights first, and give it ``--keep-rights``.

    ``first`` are modules that it needs and that write or read more of the machine as they are
    imported; what ``before`` gives, which needs the caller's rights, the command gets too.
    ``reads`` says of which folder it reads what no value names. ``listens`` is the name of the
    option that says on which port a page is served. With the option of the name ``unless`` nothing
    is given up here, or where that says so of the values.
    """

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @wraps(command)
        def call(*arguments: Any, keep_rights: bool, **values: Any) -> R:
            is_ours = click.get_current_context().find_root().obj == OWN_PROCESS
            is_kept = values.get(unless) if isinstance(unless, str) else unless(values)
            prepared = before(values)
            if keep_rights:
                _keep(click.get_current_context(), None, keep_rights)
            if is_ours and not keep_rights and not is_kept:
                _prepare(first)
                port = None if listens is None else values[listens]
                _give_up(values, reads(values), port)
            return command(*arguments, **values, **prepared)

        return click.option("--keep-rights", is_flag=True, help=KEEP_RIGHTS)(call)

    return decorate


def _keep(context: click.Context, _: click.Parameter | None, is_wanted: bool) -> None:
    """Let the threads of a command that records keep its rights, as far as they would not."""
    if is_wanted and sys.platform == "linux" and context.find_root().obj == OWN_PROCESS:
        from capture.linux.rights import keep_all

        keep_all()


keep_rights_option = click.option(
    "--keep-rights", is_flag=True, expose_value=False, callback=_keep, help=KEEP_RIGHTS
)
"""The same of what records: once that is on, its threads give up what the command does not need."""


def _prepare(modules: tuple[str, ...]) -> None:
    for name in modules:
        if find_spec(name.partition(".")[0]):
            import_module(name)


def _give_up(values: Mapping[str, object], folder: str | None, listens: int | None) -> None:
    from ..rights import Needs, give_up, looked_through, paths, reached

    inputs = [values.get(name) for name in INPUTS]
    inputs += [folder, os.environ.get("SSLKEYLOGFILE")]
    outputs = [values.get(name) for name in OUTPUTS]
    names = paths(inputs)
    needs = Needs(tuple(reached(names)), paths(outputs), tuple(looked_through(names)))
    found = give_up(needs, listens=listens)
    if found.kept:
        say(found.kept)
