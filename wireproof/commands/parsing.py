"""The rights that a command gives up before it parses, the same for every command that does."""

from __future__ import annotations

import os
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
INPUTS = ("file", "files", "given", "keylog", "log", "script")
OUTPUTS = ("output",)
"""What names files that are read and written, as click names its values."""


def parses(
    *first: str, confines: bool = True, unless: str | Callable[[Mapping[str, object]], object] = ""
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Have a command give up its rights first, and give it ``--keep-rights``.

    ``first`` are modules that it needs and that write or read more of the machine as they are
    imported; :func:`wireproof.rights.give_up` says what ``confines`` is. With the option of the
    name ``unless`` nothing is given up here, or where that says so of the values.
    """

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @wraps(command)
        def call(*arguments: Any, keep_rights: bool, **values: Any) -> R:
            is_ours = click.get_current_context().find_root().obj == OWN_PROCESS
            is_kept = values.get(unless) if isinstance(unless, str) else unless(values)
            if is_ours and not keep_rights and not is_kept:
                _prepare(first)
                _give_up(values, confines=confines)
            return command(*arguments, **values)

        return click.option(
            "--keep-rights",
            is_flag=True,
            help="Keep all rights of the caller while parsing: root's, and access to all files.",
        )(call)

    return decorate


def _prepare(modules: tuple[str, ...]) -> None:
    for name in modules:
        if find_spec(name.partition(".")[0]):
            import_module(name)


def _give_up(values: Mapping[str, object], *, confines: bool) -> None:
    from ..rights import Needs, give_up, paths

    inputs = [values.get(name) for name in INPUTS]
    inputs.append(os.environ.get("SSLKEYLOGFILE"))
    outputs = [values.get(name) for name in OUTPUTS]
    found = give_up(Needs(paths(inputs), paths(outputs)), confines=confines)
    if found.kept:
        say(found.kept)
