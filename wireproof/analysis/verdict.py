"""What is said of an exchange: an answer to one question, with what it rests on.

Strategy: a verdict is a value. Its answer is one word of a fixed vocabulary, for programs; its
summary is a sentence, for people; both cite packets. Where packets at one point cannot tell causes
apart it has several, the likeliest first, and says what would tell. It says nothing that was not
seen on the wire. As a record (``--format ndjson``) it has the fields of :class:`VerdictRecord`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

import msgspec

Question = Literal[
    "streaming",
    "ending",
    "gap",
    "resume",
    "disconnect",
    "websocket",
    "hop",
    "hazard",
    "sizes",
    "capture",
]
QUESTIONS: dict[Question, str] = {
    "streaming": "did it stream?",
    "ending": "who ended it, and was it whole?",
    "gap": "where did the time go?",
    "resume": "did it resume where it had stopped?",
    "disconnect": "what was sent after the client had left?",
    "websocket": "how did the WebSocket fare?",
    "hop": "which hop changed it?",
    "hazard": "which clients would stumble?",
    "sizes": "what do its record sizes give away?",
    "capture": "what is missing from the capture?",
}
Severity = Literal["ok", "note", "warning", "error"]
"""``ok``: as it should be. ``note``: worth knowing, nobody's fault. ``warning``: it may hurt.
``error``: it is wrong."""
SEVERITIES: tuple[Severity, ...] = ("ok", "note", "warning", "error")
Sure = Literal["certain", "likely", "possible"]
"""``certain``: packets prove it. ``likely``: its mechanism leaves these traces, others rarely do.
``possible``: it is one of several that leave them."""
Basis = Literal["content", "tls record sizes and times", "quic datagram sizes and times"]
"""What is judged: what was decoded or, where that is encrypted, its outside alone: then whatever is
said of what it holds is likely at best."""
Number = str | int | float | bool | None | Sequence[str | int | float]


class Cause(msgspec.Struct, frozen=True):
    """A reason for what was found."""

    code: str
    """Stable, kebab-case: ``proxy-buffer``."""
    sure: Sure = "certain"
    summary: str = ""
    """What was seen that points to it."""
    remedy: str = ""
    """What to do about it."""


class Verdict(msgspec.Struct, frozen=True):
    """The answer to one question about one exchange."""

    question: Question
    answer: str
    """One word, stable, kebab-case: ``held``."""
    severity: Severity
    summary: str
    """One sentence without a full stop, with figures and packets."""
    packets: tuple[int, ...] = ()
    """Those that show it, from 1; the first ones, if there are many."""
    causes: tuple[Cause, ...] = ()
    """The likeliest first; of several it is one: "either ... or ..."."""
    to_tell: str = ""
    """What would tell the causes apart; empty if they are not several."""
    evidence: tuple[str, ...] = ()
    """A line for each thing that the answer rests on."""
    numbers: Mapping[str, Number] = {}
    """For programs: seconds, bytes, packets, counts."""
    remedy: str = ""
    """What to do, whatever the cause is."""
    reference: str = ""
    """Where it is said how it should be: ``RFC 9112 section 8``."""
    basis: Basis = "content"
    exchange: int | None = None
    """The request that it is about, from 0, where that is not told by where the verdict stands."""

    @property
    def is_fault(self) -> bool:
        """Whether something is not as it should be."""
        return self.severity in ("warning", "error")

    @property
    def tone(self) -> Severity:
        """In whose colour its answer is shown."""
        return tone(self.answer, self.severity)


def tone(answer: str, severity: Severity) -> Severity:
    """Return in whose colour an answer is shown: its severity's, but what nobody could decide is
    no good news, and as neutral as a note."""
    return "note" if answer == "undecided" and severity == "ok" else severity


class VerdictRecord(msgspec.Struct, frozen=True, tag_field="record", tag="verdict"):
    """A verdict as scripts read it."""

    record: ClassVar[Literal["verdict"]] = "verdict"
    connection: int
    exchange: int
    question: Question
    answer: str
    is_fault: bool
    severity: Severity
    causes: tuple[Cause, ...]
    packets: tuple[int, ...]
    numbers: Mapping[str, Number]
    summary: str
    evidence: tuple[str, ...]
    to_tell: str
    remedy: str
    """Its own, or that of its likeliest cause."""
    reference: str
    basis: Basis
    """``content``, or ``tls record sizes and times`` or ``quic datagram sizes and times`` where
    nothing was decrypted: then requests are told apart by what the client sent, and ``exchange``
    counts them."""


def verdict_record(verdict: Verdict, connection: int, exchange: int) -> VerdictRecord:
    """Return the record of a verdict on an exchange of a connection."""
    remedies = [verdict.remedy, *(cause.remedy for cause in verdict.causes)]
    return VerdictRecord(
        connection=connection,
        exchange=exchange if verdict.exchange is None else verdict.exchange,
        question=verdict.question,
        answer=verdict.answer,
        is_fault=verdict.is_fault,
        severity=verdict.severity,
        causes=verdict.causes,
        packets=verdict.packets,
        numbers=verdict.numbers,
        summary=verdict.summary,
        evidence=verdict.evidence,
        to_tell=verdict.to_tell,
        remedy=next(filter(None, remedies), ""),
        reference=verdict.reference,
        basis=verdict.basis,
    )


def words_of(verdicts: Iterable[Verdict]) -> set[str]:
    """Return every word that is said: answers, causes, severities; ``fault`` if any is one, else
    ``ok``."""
    words: set[str] = set()
    is_fault = False
    for verdict in verdicts:
        words |= {verdict.answer, verdict.severity, *(cause.code for cause in verdict.causes)}
        is_fault |= verdict.is_fault
    return words | {"fault"} if is_fault else words | {"ok"}
