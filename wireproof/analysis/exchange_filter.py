"""Which exchanges are wanted: one choice, which every command that reads a capture offers.

Strategy: a choice has criteria of three kinds. Where an exchange stands (its connection, its
number) is known with its first record; what it is, with its heads; who its connection is between,
what is said of it, for how long nothing came and what it held, only at its end. Each kind is asked
as soon as it can be: :meth:`ExchangeFilter.decided` says no, or yes, or not yet.
"""

from __future__ import annotations

from collections.abc import Container
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from parsers.records import ConnectionRecord, Transport

    from ..exchange import Exchange
    from ..open_exchanges import Key


class ExchangeNumber(Struct, frozen=True, gc=False):
    """Which exchange: of the capture, or of a connection."""

    number: int
    """From 0: of its connection if that is given, else of the capture."""
    connection: int | None = None


class Heads(Struct, frozen=True, gc=False):
    """What an exchange is, by its heads."""

    key: Key
    number: int
    """From 0, in the order in which the exchanges of the capture began."""
    asked: Transport | None
    """What its request asks for."""
    transport: Transport
    method: str | None
    target: str | None
    status: int | None


def heads_of(exchange: Exchange) -> Heads:
    """Return what an exchange is, as far as its heads came."""
    request, response = exchange.request, exchange.response
    return Heads(
        exchange.key,
        exchange.number,
        exchange.asked,
        exchange.transport,
        None if request is None else request.method,
        None if request is None else request.target,
        None if response is None else response.status,
    )


class ExchangeFilter(Struct, frozen=True):
    """Criteria, all of which an exchange must meet; None is no criterion."""

    transport: Transport | None = None
    connection: int | None = None
    exchange: ExchangeNumber | None = None
    path: str | None = None
    """A pattern as shells have them, for the request's target with its query or without."""
    method: str | None = None
    status: tuple[str, ...] = ()
    """Of one of these: ``404``, or ``5xx`` for all of a class."""
    port: int | None = None
    """Of the client or of the server."""
    min_gap: float | None = None
    """Seconds for which nothing came of the response, at least."""
    verdict: str | None = None
    """An answer, the code of a cause, a severity, or ``fault``."""
    grep: str | None = None
    """Text that the exchange held: in its heads, or in what it carried."""

    @property
    def needs_end(self) -> bool:
        """Whether only the end of an exchange, or of its connection, tells if it is wanted."""
        late = (self.port, self.min_gap, self.verdict, self.grep)
        return any(criterion is not None for criterion in late)

    @property
    def needs_heads(self) -> bool:
        """Whether more is asked for than one connection."""
        return self != ExchangeFilter(connection=self.connection)

    @property
    def is_empty(self) -> bool:
        """Whether all exchanges are wanted."""
        return self == EVERYTHING

    @property
    def only_connection(self) -> int | None:
        """The connection that all wanted exchanges are of, None if there may be several."""
        return self.exchange.connection if self.exchange is not None else self.connection

    def takes_heads(self, heads: Heads) -> bool:
        """Whether an exchange may be wanted, by its heads."""
        from ..heads import is_chosen

        return (
            self._takes_place(heads)
            and self._takes_request(heads)
            and (self.transport is None or is_chosen(self.transport, heads.transport, heads.asked))
            and (not self.status or _is_status(heads.status, self.status))
        )

    def decided(self, heads: Heads) -> bool | None:
        """Whether an exchange may be wanted, by what came of its heads; None if that is open yet.

        Of a response that has not come yet nothing is known, and the transport may change with it.
        """
        if not self._takes_place(heads):
            return False
        if self.path is not None or self.method is not None:
            if heads.method is None:
                return None
            if not self._takes_request(heads):
                return False
        return True if self.transport is None and not self.status else None

    def takes_end(
        self,
        connection: ConnectionRecord | None,
        words: Container[str],
        longest_gap: float,
        has_text: bool,
    ) -> bool:
        """Whether an exchange that may be wanted is, by what only its end tells.

        ``words`` are all that is said of it, ``has_text`` says if ``grep`` was in it.
        """
        return (
            (self.grep is None or has_text)
            and (self.port is None or has_port(connection, self.port))
            and (self.min_gap is None or longest_gap >= self.min_gap)
            and (self.verdict is None or self.verdict in words)
        )

    def takes_sealed(
        self, connection: ConnectionRecord, words: Container[str], longest_gap: float
    ) -> bool:
        """Whether a TLS connection that was not decrypted is wanted: nobody knows what it held."""
        hidden = (self.transport, self.exchange, self.path, self.method, self.grep)
        if self.status or any(criterion is not None for criterion in hidden):
            return False
        return self.connection in (None, connection.connection) and self.takes_end(
            connection, words, longest_gap, True
        )

    def _takes_request(self, heads: Heads) -> bool:
        if self.method is not None and heads.method != self.method:
            return False
        return self.path is None or _is_path(heads.target, self.path)

    def _takes_place(self, heads: Heads) -> bool:
        if self.connection is not None and heads.key.connection != self.connection:
            return False
        if self.exchange is None:
            return True
        wanted = self.exchange
        if wanted.connection is None:
            return heads.number == wanted.number
        return heads.key == (wanted.connection, wanted.number)


EVERYTHING = ExchangeFilter()


def _is_path(target: str | None, pattern: str) -> bool:
    return target is not None and any(fnmatchcase(one, pattern) for one in targets(target))


def targets(target: str) -> tuple[str, str]:
    """Return a target whole and without its query; of an absolute one, its path."""
    if "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target, target.partition("?")[0]


def _is_status(status: int | None, wanted: tuple[str, ...]) -> bool:
    if status is None:
        return False
    return str(status) in wanted or f"{status // 100}xx" in wanted


def has_port(connection: ConnectionRecord | None, port: int) -> bool:
    """Whether a connection is from or to a port."""
    if connection is None:
        return False
    ends = (connection.client, connection.server)
    return any(end.rpartition(":")[2] == str(port) for end in ends)
