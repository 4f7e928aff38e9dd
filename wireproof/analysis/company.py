"""What else happened in a capture meanwhile: the other leg of an upload, other answers of a server.

Strategy: an exchange is judged by itself, but some questions need a second one: who held an upload
shows where both legs of a proxy were captured, and a blocked event loop is one that answers nobody.
Of each upload and each answer a few numbers are kept, of the latest ones alone.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from parsers.records import BodyRecord, Record, ResponseRecord

from ..exchange import Exchange
from ..heads import is_final

MAX_COMPANY = 64
"""Uploads and answers that are remembered of each sort: the latest."""


SAME = 0.25
"""Seconds within which a proxy passes a request on: a later one for the same target is another."""


class Upload(Struct, frozen=True, gc=False):
    """The body of a request; times are seconds since the epoch."""

    connection: int
    exchange: int
    sha256: str
    size: int
    start: float
    end: float
    first_packet: int
    last_packet: int


class Answered(Struct, frozen=True, gc=False):
    """A response that began; times are seconds since the epoch."""

    connection: int
    exchange: int
    host: str
    """Whom the request was for, as it says itself."""
    target: str
    asked: float
    answered: float
    packet: int


class Company:
    """The latest uploads and answers of a capture."""

    def __init__(self) -> None:
        self.uploads: deque[Upload] = deque(maxlen=MAX_COMPANY)
        self.answers: deque[Answered] = deque(maxlen=MAX_COMPANY)
        self._same: dict[tuple[str, int], list[Upload]] = {}
        """The uploads by their content, to look only at those that may be another's leg."""

    def add(self, record: Record, exchange: Exchange) -> None:
        """Take the next record of an exchange that has taken it already."""
        if isinstance(record, BodyRecord):
            if record.sender == "client" and record.complete and record.size:
                self._add_upload(upload_of(record))
        elif isinstance(record, ResponseRecord) and is_final(record) and exchange.request:
            host = exchange.request_fields.get("host", "")
            asked, answered = exchange.asked_time, record.first_time
            target, packet = exchange.request.target, record.first_packet
            self.answers.append(
                Answered(record.connection, record.exchange, host, target, asked, answered, packet)
            )

    def _add_upload(self, upload: Upload) -> None:
        if len(self.uploads) == MAX_COMPANY:
            first = self.uploads[0]
            same = self._same[first.sha256, first.size]
            same.remove(first)
            if not same:
                del self._same[first.sha256, first.size]
        self.uploads.append(upload)
        self._same.setdefault((upload.sha256, upload.size), []).append(upload)

    def other_leg(self, body: BodyRecord) -> Upload | None:
        """Return the same content on another connection, the one nearest in time; None if none."""
        found = self._same.get((body.sha256, body.size), ())
        same = [one for one in found if one.connection != body.connection]
        if not same:
            return None  # as of nearly all
        return min(same, key=lambda one: abs(one.end - body.last_time))

    def meanwhile(self, exchange: Exchange, until: float, since: float = 0.0) -> list[Answered]:
        """Return the answers to what the same host was asked while an answer went on.

        The upstream leg of that very request is none of them.
        """
        request = exchange.request
        if request is None:
            return []
        host, asked = exchange.request_header("host") or "", exchange.asked_time
        return [
            one
            for one in self.answers
            if one.host == host
            and max(asked, since) < one.asked < until
            and (one.connection, one.exchange) != exchange.key
            and (one.target != request.target or one.asked - asked > SAME)
        ]

    def answered(self, upload: Upload) -> float | None:
        """Return when an upload was answered, None if it was not, or that is forgotten."""
        place = upload.connection, upload.exchange
        return next(
            (one.answered for one in self.answers if (one.connection, one.exchange) == place), None
        )


def upload_of(body: BodyRecord) -> Upload:
    """Return what is remembered of a request's body."""
    return Upload(
        body.connection,
        body.exchange,
        body.sha256,
        body.size,
        body.first_time,
        body.last_time,
        body.first_packet,
        body.last_packet,
    )
