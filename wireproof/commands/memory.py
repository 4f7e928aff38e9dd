"""``--memory``: what a command may hold for all connections together, the same for every command
that decodes.

Strategy: a process that is a command's has one budget, however often the command decodes. So the
option sets what each decoder takes for the usual, and it is as it was when the command has ended.
"""

from __future__ import annotations

import click

from .exits import Size

LEAST = 1 << 20
"""Bytes."""


def _allow(context: click.Context, option: click.Parameter, size: int | None) -> None:
    if size is None:
        return
    from parsers import Memory

    before = Memory.usual
    Memory.usual = size
    context.call_on_close(lambda: setattr(Memory, "usual", before))


MEMORY = click.option(
    "--memory",
    type=Size(least=LEAST, unit="M"),
    metavar="SIZE",
    expose_value=False,
    callback=_allow,
    help="Approximate memory limit for all connections together, 256M by default. Above it, the "
    "largest and the longest-idle ones are dropped with a diagnostic.",
)
