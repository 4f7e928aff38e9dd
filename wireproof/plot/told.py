"""What a picture says of an exchange in words: its verdict, and what its elements say.

Strategy: the picture's columns hold times and sizes alone; once it is known which exchange is drawn
the capture is read again, for that one. What comes from the wire is escaped and cut here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from parsers import KeyLog, decode_batches
from parsers.records import Record

from ..analysis.ends import lacks_answer
from ..analysis.exchange_filter import ExchangeFilter, ExchangeNumber
from ..analysis.judges import Explained
from ..analysis.outcomes import Outcomes, outcomes
from ..analysis.recorded import shown_holes
from ..analysis.verdict import Severity, tone
from ..dialects.reader import DialectReader, is_read
from ..dialects.wording import said
from ..exchanges import Exchanges
from ..open_exchanges import Key
from ..tasks.sources import TO_JUDGE
from ..text.wording import count
from ..views.verdicts.words import fine, leading, sealed_sentence, summary, title

LABEL_WIDTH = 18
"""Cells of what an element says that a picture shows."""
FIRST = Key(0, 0)
"""The exchange before which there is none."""
MAX_LABELS = 4_096
"""Elements whose words are kept; a picture has room for fewer."""


class Label(NamedTuple):
    """What an element of the response says."""

    time: float
    text: str


class Told(NamedTuple):
    """The words of a picture."""

    verdict: str = ""
    severity: Severity = "ok"
    labels: tuple[Label, ...] = ()
    holes: tuple[float, ...] = ()
    """When bytes of what it shows were found missing, in order."""
    is_lacking: bool = False
    """Whether the capture may lack its end."""


def read_told(stream: BinaryIO, key: Key, keylog: KeyLog | None = None) -> Told:
    """Return what is to be said of an exchange of a capture, the same as ``explain`` says.

    Its connection is decoded alone, and all others only where one of them may have a part in it.
    """
    start = stream.tell()
    told, stands_alone = _read(stream, key, keylog, {key.connection, None}.__contains__)
    if stands_alone:
        return told
    stream.seek(start)
    return _read(stream, key, keylog)[0]


def _read(
    stream: BinaryIO,
    key: Key,
    keylog: KeyLog | None,
    decoded: Callable[[int | None], bool] | None = None,
) -> tuple[Told, bool]:
    """Return what is to be said of an exchange by the connections that are ``decoded``, and whether
    no other could change it."""
    explained: list[Explained] = []
    wanted = ExchangeFilter(exchange=ExchangeNumber(key.exchange, key.connection))
    found = Outcomes(wanted, tell=explained.append)
    labels = _Labels(key)
    batches = decode_batches(stream, wanted=decoded, keylog=keylog, wants=TO_JUDGE)
    told = [
        outcome for records in batches for outcome in found.add(list(labels.looked_at(records)))
    ]
    told += found.finish()
    if not told:
        return Told(labels=tuple(labels.found)), False
    listed, verdicts, _ = told[0]
    is_enough = all(map(stands_alone, explained))
    missing = tuple(shown_holes(explained[0].trace)) if explained else ()
    is_lacking = bool(explained) and lacks_answer(explained[0].trace)
    more = tuple(labels.found), missing, is_lacking
    gravest = leading(verdicts)
    if gravest is None or gravest.severity == "ok":
        return Told(fine(listed), tone(listed.verdict, "ok"), *more), is_enough
    verdict = summary(gravest)
    if not verdict.startswith(gravest.answer):
        verdict = f"{gravest.answer}: {verdict}"
    return Told(verdict, gravest.severity, *more), is_enough


def stands_alone(explained: Explained) -> bool:
    """Whether no other connection can have a part in what is said of an exchange.

    Who asked meanwhile, and the leg behind a proxy, may explain what went wrong. One may have the
    other leg of an upload, or the stream that this one goes on, unless this is the first of all.
    What is said of its syntax is its own.
    """
    about = explained.exchange
    is_fine = all(one.severity == "ok" or one.question == "hazard" for one in explained.verdicts)
    body = about.response_body
    is_whole = bool(about.closing) if about.is_websocket else body is not None and body.complete
    goes_on = about.transport == "sse" and (
        about.key != FIRST or about.request_header("last-event-id") is not None
    )
    return is_fine and is_whole and about.request_body is None and not goes_on


def read_sealed(
    stream: BinaryIO, wanted: ExchangeFilter, keylog: KeyLog | None = None
) -> str | None:
    """Return what is said of the TLS connections that cannot be drawn without keys: the one with
    the most records, and how many there are; None if none is wanted."""
    batches = decode_batches(stream, keylog=keylog, shows_records=True, wants=TO_JUDGE)
    told = outcomes(batches, wanted)
    chosen, number = None, 0
    for one in told:
        if one.listed.tls is None:
            continue
        number += 1
        if chosen is None or one.listed.count > chosen.listed.count:
            chosen = one
    if chosen is None:
        return None
    said = f"{title(chosen.listed)}: {fine(chosen.listed)}; {sealed_sentence(chosen)}"
    was = "was" if number == 1 else "were"
    return (
        f"no exchange to draw: {count(number, 'TLS connection')} {was} not decrypted; a picture"
        f" needs the keys (--keylog). {said}"
    )


class _Labels:
    """Keeps what the elements of one response say."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._fold: Exchanges[DialectReader] = Exchanges(DialectReader)
        self.found: list[Label] = []

    def looked_at(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield records, and look at those of the exchange."""
        for record in records:
            if record.connection == self._key.connection and len(self.found) < MAX_LABELS:
                self._look(record)
            yield record

    def _look(self, record: Record) -> None:
        found = self._fold.add(record)
        if found is None or found[0].key != self._key or not is_read(record, found[1]):
            return
        if record.sender != "server":
            return
        words = said(found[1].read(record), LABEL_WIDTH)
        if words is not None and (text := words.text or words.what):
            self.found.append(Label(record.last_time, text))
