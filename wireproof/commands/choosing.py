"""The options that choose exchanges, the same for every command that reads a capture."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from .exits import TRANSPORTS, Seconds, Unreadable, because, need

if TYPE_CHECKING:
    from parsers import KeyLog
    from parsers.records import Transport

    from ..analysis.exchange_filter import ExchangeFilter

C = TypeVar("C", bound=Callable[..., Any])
R = TypeVar("R")
Options = Mapping[str, Callable[..., Any]]
"""Options by the names that click gives to their values."""

METHOD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
STATUS = r"[1-9][0-9]{2}|[1-5]xx"
"""A code of three digits, or one of the five classes: RFC 9110 section 15 has no others."""
EXCHANGE = r"(?:([0-9]{1,10})/)?([0-9]{1,9})"


class Status(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """Status codes, ``404``, or classes of them, ``5xx``; several with commas between them."""

    name = "status"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        found = tuple(part.strip().lower() for part in str(value).split(","))
        if not all(re.fullmatch(STATUS, code) for code in found):
            wanted = "a code from 100 to 999, a class from 1xx to 5xx, or several with commas"
            self.fail(f"{value!r} is not a status: expected {wanted}", param, ctx)
        return found


class Method(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """A method of HTTP: a token (RFC 9110 section 9.1), in capitals or not."""

    name = "method"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        if not re.fullmatch(METHOD, str(value)):
            self.fail(f"{str(value)!r} is not a method: expected GET, POST or the like", param, ctx)
        return str(value)


class Number(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """An exchange: ``7``, or ``3/1`` for number 1 of connection 3."""

    name = "exchange"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int | None]:
        found = re.fullmatch(EXCHANGE, str(value))
        if found is None:
            self.fail(
                f"{value!r} is not an exchange: expected 7, or 3/1 on connection 3", param, ctx
            )
        return int(found[2]), None if found[1] is None else int(found[1])


class Words(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have one
    """Words by which verdicts are chosen, with commas between them; those of ``also`` besides."""

    name = "words"

    def __init__(self, *also: str) -> None:
        self._also = also

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        from ..analysis.vocabulary import is_known, unknown

        words = [part for part in map(str.strip, str(value).split(",")) if part]
        if not words:
            self.fail("no word was given", param, ctx)
        for word in words:
            if word not in self._also and not is_known(word):
                self.fail(unknown(word), param, ctx)
        return str(value)


HEADS = {
    "transport": click.option(
        "--transport", type=click.Choice(TRANSPORTS), help="Only exchanges of this transport."
    ),
    "path": click.option(
        "--path",
        metavar="GLOB",
        help="Only targets that match, with or without their query: '/v1/*'.",
    ),
    "method": click.option(
        "--method", type=Method(), metavar="NAME", help="Only requests with this method."
    ),
    "status": click.option(
        "--status", type=Status(), metavar="CODE", help="Only responses with this status: 404, 5xx."
    ),
}
"""What chooses by what an exchange is. Names are those that click gives to values."""
PLACE = {
    "connection": click.option(
        "--connection",
        type=click.IntRange(min=0),
        metavar="N",
        help="Only this TCP connection, numbered from 0 like Wireshark's tcp.stream.",
    ),
    "exchange": click.option(
        "--exchange",
        type=Number(),
        metavar="N",
        help="Only the exchange with this number in ls; C/E is exchange E of connection C, and so "
        "is E with --connection C.",
    ),
}
"""What chooses by where it stands."""
PORT = {
    "port": click.option(
        "--port",
        type=click.IntRange(1, 65_535),
        metavar="N",
        help="Only connections to or from this port.",
    ),
}
ENDS = {
    "min_gap": click.option(
        "--min-gap",
        type=Seconds(min=0),
        metavar="S",
        help="Only responses with a gap of at least S seconds.",
    ),
    "verdict": click.option(
        "--verdict",
        type=Words("fault"),
        metavar="WORD",
        help="Only exchanges with this verdict: an answer (held), a cause (loss), "
        "error, warning, note, ok, or fault.",
    ),
    "grep": click.option("--grep", metavar="TEXT", help="Only exchanges that contain this text."),
}
"""What only the end of an exchange, or of its connection, tells."""
CHOICE = HEADS | PLACE | PORT | ENDS
"""Every option that chooses exchanges of a capture."""


KEYLOG = click.option(
    "--keylog",
    metavar="KEYS",
    help="Decrypt TLS with the secrets in this file, which may still be growing: for most "
    "programs, the one SSLKEYLOGFILE names. Secrets in a pcapng file are used automatically.",
)


class Reading(NamedTuple):
    """What all reading commands share: which exchanges of what they read are wanted."""

    wanted: ExchangeFilter
    keylog: KeyLog | None = None
    """Secrets of TLS, beside those in a capture."""

    @property
    def is_choice(self) -> bool:
        """Whether some exchanges are left out."""
        return not self.wanted.is_empty

    @property
    def nothing(self) -> str:
        """What is said where no exchange is wanted, or there is none."""
        return "no matching exchange" if self.is_choice else "no exchange"


def reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command that reads captures the options that all of these share; it gets them as
    ``reading``."""
    return _given(command, CHOICE)


def view_reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command them all but ``--port``, which it has a meaning of its own for."""
    return _given(command, HEADS | PLACE | ENDS)


def live_reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command those that choose what is shown at once; the others are refused."""
    shown = _given(command, HEADS | PLACE)
    return _refused(
        shown, ENDS, "it is known only at the end: save packets with -w and decode those"
    )


def refused(options: Iterable[str], why: str) -> Callable[[C], C]:
    """Let a command refuse options that have no meaning for it, and say why; its help says it too.

    A plain word is better than to ignore them.
    """
    return lambda command: _refused(command, options, why)


def _given(command: Callable[..., R], options: Options) -> Callable[..., R]:
    """Return a command that gets what these options say as one object."""

    @wraps(command)
    def call(*arguments: Any, **values: Any) -> R:
        choice = {name: values.pop(name) for name in options}
        found = Reading(exchange_filter(choice), key_log(values.pop("keylog")))
        return command(*arguments, reading=found, **values)

    for option in reversed([*options.values(), KEYLOG]):
        call = option(call)
    return call


def _refused(command: C, options: Iterable[str], why: str) -> C:

    def refuse(context: click.Context, option: click.Parameter, value: object) -> None:
        if value is not None:
            raise click.UsageError(f"{option.opts[0]}: {why}", context)

    for name in options:
        command = click.option(
            "--" + name.replace("_", "-"), hidden=True, expose_value=False, callback=refuse
        )(command)
    return command


def key_log(path: str | None) -> KeyLog | None:
    """Return the secrets in a file; without a path those that SSLKEYLOGFILE names, if there are."""
    if path is not None:
        need("tls", "--keylog")
        try:
            return _secrets_in(path)
        except OSError as error:
            raise Unreadable(because(path, error)) from error
    if not (path := os.environ.get("SSLKEYLOGFILE")):
        return None
    from ..extras import lacks

    if not lacks("tls"):
        with suppress(OSError):  # nobody has written it, or it is another user's
            return _secrets_in(path)
    return None


def _secrets_in(path: str) -> KeyLog:
    from parsers import KeyLog

    return KeyLog.open(path)


def exchange_filter(choice: dict[str, Any]) -> ExchangeFilter:
    """Return what these options choose; those that are None choose nothing."""
    from ..analysis.exchange_filter import ExchangeFilter, ExchangeNumber

    number, connection = choice.get("exchange") or (None, None)
    if connection is None:
        connection = choice.get("connection")
    method: str | None = choice.get("method")
    return ExchangeFilter(
        transport=cast("Transport | None", choice.get("transport")),
        connection=choice.get("connection"),
        exchange=None if number is None else ExchangeNumber(number, connection),
        path=choice.get("path"),
        method=None if method is None else method.upper(),
        status=choice.get("status") or (),
        port=choice.get("port"),
        min_gap=choice.get("min_gap"),
        verdict=choice.get("verdict"),
        grep=choice.get("grep"),
    )
