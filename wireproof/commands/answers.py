"""What every command answers with: its exit codes, one line for an error, its examples.

Exit codes: 0 done; 1 done, and the answer is no; 2 bad usage or unreadable input; 3 something
that the command needs is missing; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..escape import escape

if TYPE_CHECKING:
    from ..selection import Transport

INTERRUPTED, UNREAD = 130, 141
"""Exit codes, as a shell gives them for SIGINT and SIGPIPE."""

TRANSPORTS: tuple[Transport, ...] = ("chunked", "sse", "websocket")


class Unreadable(click.ClickException):
    """What cannot be read, written or understood."""

    exit_code = 2


class NotWhole(click.ClickException):
    """Done, and the answer is no."""

    exit_code = 1


class Missing(click.ClickException):
    """What the command needs and this machine or user has not; the message says how to get it."""

    exit_code = 3


def examples(*lines: str) -> str:
    """Return examples for the end of a help text, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def because(what: str, error: OSError | ValueError) -> str:
    """Return what could not be done with a file, and why, without Python's wording."""
    if isinstance(error, OSError):
        return f"{error.filename or what}: {error.strerror or error}"
    return f"{'standard input' if what == '-' else what}: {error}"


def say(message: str) -> None:
    """Print a line to standard error; file names in it may hold anything."""
    click.echo(f"wireproof: {escape(message)}", err=True)
