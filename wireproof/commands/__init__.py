"""The commands, a file each; a file is read when its command is wanted.

A command reads its options and words its errors (``answers``); the work is in modules that it
imports when it runs, so that ``--help`` and a small decode start in a blink.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

NAMES = (
    "annotate",
    "capture",
    "collect",
    "compare",
    "decode",
    "demo",
    "diff",
    "doctor",
    "explain",
    "export",
    "follow",
    "hops",
    "latency",
    "ls",
    "plot",
    "query",
    "redact",
    "report",
    "serve",
    "view",
    "watch",
)
"""Every command; each is the function of that name in the module of that name."""


class Commands(click.Group):
    """A group of the commands in this folder."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in NAMES:
            return None
        return cast(click.Command, getattr(import_module(f".{name}", __name__), name))
