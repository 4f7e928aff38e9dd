"""What is said of an exchange: an answer to one question, with what it rests on.

Strategy: a verdict is a value. Its answer is one word of a fixed vocabulary, for programs; its
summary is a sentence, for people; both cite packets. Where packets at one point cannot tell causes
apart it has several, the likeliest first, and says what would tell. It says nothing that was not
seen on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Question = Literal[
    "streaming", "request", "ending", "gaps", "websocket", "after-leaving", "reconnect", "hazards"
]
QUESTIONS: dict[Question, str] = {
    "streaming": "did the response stream?",
    "request": "did the request stream?",
    "ending": "who ended it, and was it whole?",
    "gaps": "where did the time go?",
    "websocket": "how did the WebSocket fare?",
    "after-leaving": "what was sent after the client had left?",
    "reconnect": "did it go on where it had stopped?",
    "hazards": "which clients would stumble?",
}
Severity = Literal["ok", "note", "warning", "error"]
"""``ok``: as it should be. ``note``: worth knowing, nobody's fault. ``warning``: it may hurt.
``error``: it is wrong."""
SEVERITIES: tuple[Severity, ...] = ("ok", "note", "warning", "error")
Certainty = Literal["certain", "likely", "undecided"]
"""``certain``: packets prove it. ``likely``: a mechanism leaves these traces, others rarely do.
``undecided``: there are several causes, and these packets cannot tell them apart."""
Figure = str | int | float | bool | None | list[int] | list[float] | list[str]


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason for what was found."""

    code: str
    """Stable, kebab-case: ``proxy-buffer``."""
    summary: str
    """What was seen that points to it."""
    remedy: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question about one exchange."""

    question: Question
    answer: str
    """One word, stable, kebab-case: ``held``."""
    severity: Severity
    summary: str
    """One sentence without a full stop, with figures and packets."""
    packets: tuple[int, ...] = ()
    """Those that show it, from 1; the first ones, if there are many."""
    certainty: Certainty = "certain"
    causes: tuple[Cause, ...] = ()
    """The likeliest first; of several it is one: "either ... or ..."."""
    tells: str = ""
    """What would tell the causes apart; empty if they are not several."""
    evidence: tuple[str, ...] = ()
    """A line for each thing that the answer rests on."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Numbers for programs; names end in their unit: ``held_seconds``, ``buffer_bytes``."""

    @property
    def is_wrong(self) -> bool:
        """Whether something is not as it should be."""
        return self.severity in ("warning", "error")
