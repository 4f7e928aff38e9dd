"""The options that choose exchanges, the same for every command that reads a capture."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from .exits import TRANSPORTS

if TYPE_CHECKING:
    from parsers.records import Transport

    from ..analysis.exchange_filter import ExchangeFilter

C = TypeVar("C", bound=Callable[..., Any])

STATUS = re.compile(r"[1-9](?:[0-9]{2}|xx)", re.IGNORECASE)
EXCHANGE = re.compile(r"(?:([0-9]{1,9})/)?([0-9]{1,9})")


class Status(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """Status codes, ``404``, or classes of them, ``5xx``; several with commas between them."""

    name = "status"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        found = tuple(part.strip().lower() for part in str(value).split(","))
        if not all(map(STATUS.fullmatch, found)):
            self.fail(f"{value!r} is no status: 404, or 5xx, or several with commas", param, ctx)
        return found


class Number(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """An exchange: ``7``, or ``3/1`` for number 1 of connection 3."""

    name = "exchange"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int | None]:
        found = EXCHANGE.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no exchange: 7, or 3/1 for connection 3", param, ctx)
        return int(found[2]), None if found[1] is None else int(found[1])


OPTIONS = (
    click.option(
        "--transport", type=click.Choice(TRANSPORTS), help="Only exchanges of this transport."
    ),
    click.option(
        "--connection",
        type=click.IntRange(min=0),
        metavar="N",
        help="Only this TCP connection, counted from 0 as Wireshark's tcp.stream.",
    ),
    click.option(
        "--exchange",
        type=Number(),
        metavar="N",
        help="Only the exchange of that number in ls, or C/E: exchange E of connection C; "
        "after --connection, of that one.",
    ),
    click.option(
        "--path",
        metavar="GLOB",
        help="Only targets like this, with their query or without: '/v1/*'.",
    ),
    click.option("--method", metavar="NAME", help="Only requests of this method."),
    click.option(
        "--status", type=Status(), metavar="CODE", help="Only responses of this status: 404, 5xx."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        metavar="N",
        help="Only connections from or to this port.",
    ),
    click.option(
        "--min-gap",
        type=click.FloatRange(min=0),
        metavar="S",
        help="Only responses of which nothing came for S seconds.",
    ),
    click.option(
        "--verdict",
        metavar="WORD",
        help="Only exchanges of which this is said: an answer (held), a cause (loss), "
        "error, warning, note, ok, or fault.",
    ),
    click.option("--grep", metavar="TEXT", help="Only exchanges that hold this text."),
)
NAMES = (
    *("transport", "connection", "exchange", "path", "method", "status", "port", "min_gap"),
    *("verdict", "grep"),
)
"""The parameters that these options give to a command."""


def choosing_options(command: C) -> C:
    """Give a command the options that choose exchanges; it gets them as ``**choice``."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def exchange_filter(choice: dict[str, Any]) -> ExchangeFilter:
    """Return what these options choose."""
    from ..analysis.exchange_filter import ExchangeFilter, ExchangeNumber

    number, connection = choice["exchange"] or (None, None)
    exchange = None
    if number is not None:
        exchange = ExchangeNumber(
            number, choice["connection"] if connection is None else connection
        )
    method: str | None = choice["method"]
    return ExchangeFilter(
        transport=cast("Transport | None", choice["transport"]),
        connection=choice["connection"],
        exchange=exchange,
        path=choice["path"],
        method=None if method is None else method.upper(),
        status=choice["status"] or (),
        port=choice["port"],
        min_gap=choice["min_gap"],
        verdict=choice["verdict"],
        grep=choice["grep"],
    )
