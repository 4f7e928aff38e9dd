"""What every command answers with: its exit codes, one line for an error, its examples.

Exit codes: 0 done; 1 done, and the answer is no; 2 bad usage or unreadable input; 3 something
that the command needs is missing; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from ..output import STANDARD_OUTPUT
from ..text.escape import escape

if TYPE_CHECKING:
    from parsers.records import Transport

    from ..extras import Extra

INTERRUPTED, UNREAD = 130, 141
"""Exit codes, as a shell gives them for SIGINT and SIGPIPE."""

SIZE = r"([0-9]{1,15})([kKMG]?)(?:i?B)?"
ADDRESS = r"(?:([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):)?([0-9]{1,5})"
LOOPBACK = "127.0.0.1"
LAST_PORT = 65_535
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}

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


class Address(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """Where to listen: ``9464`` on loopback, ``0.0.0.0:9464``, ``[::]:9464``."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        found = re.fullmatch(ADDRESS, str(value))
        if found is None or int(found[2]) > LAST_PORT:
            self.fail(f"{value!r} is not [HOST:]PORT: expected 9464, or 0.0.0.0:9464", param, ctx)
        return (found[1] or LOOPBACK).strip("[]"), int(found[2])


class Size(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """A number of bytes: 4096, 512k, 64M or 2GiB, each by 1,024.

    ``unit`` is meant where none is named.
    """

    name = "size"

    def __init__(self, *, least: int, unit: str = "") -> None:
        self._least = least
        self._unit = unit

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = re.fullmatch(SIZE, str(value))
        if found is None:
            self.fail(
                f"{value!r} is not a size: expected a number, optionally with k, M or G", param, ctx
            )
        size = int(found[1]) * UNITS[found[2].upper() or self._unit]
        if size < self._least:
            self.fail(f"{value} is too small: the minimum is {self._least:,} bytes", param, ctx)
        return size


class Finite(click.FloatRange):
    """A number that has an order and an end: neither nan nor inf."""

    what = "finite number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = float(super().convert(value, param, ctx))
        if not isfinite(found):
            self.fail(f"{value} is not a {self.what}", param, ctx)
        return found


class Seconds(Finite):
    """A time, of which options say how short it may be."""

    what = "time in seconds"


def need(extra: Extra, what: str) -> None:
    """Raise Missing unless the libraries of an extra are installed; ``what`` is it that needs them.

    Where one would be replaced, a project's own may be what it is: the message says so.
    """
    from ..extras import lacks

    if lacking := lacks(extra):
        where = ", in an environment of its own" if any(lack.found for lack in lacking) else ""
        names = ", ".join(map(str, lacking))
        raise Missing(f"{what} needs {names}: pip install 'wireproof[{extra}]'{where}")


def examples(*lines: str) -> str:
    """Return examples for the end of a help text, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def because(what: str, error: OSError | ValueError) -> str:
    """Return what could not be done with a file, and why, without Python's wording."""
    if isinstance(error, OSError):
        return f"{error.filename or what}: {error.strerror or error}"
    return f"{'standard input' if what == '-' else what}: {error}"


def called(output: str | None) -> str:
    """Return what an output is called: standard output has a name for people."""
    return STANDARD_OUTPUT if output is None or output == "-" else output


def say_of(source: str, message: str) -> None:
    """Print a line on what was read."""
    say(f"{'standard input' if source == '-' else source}: {message}")


def say(message: str) -> None:
    """Print a line to standard error; file names in it may hold anything."""
    click.echo(f"wireproof: {escape(message)}", err=True)
