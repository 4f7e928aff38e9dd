"""How an exchange and its verdicts are called, the same in every format.

What is returned is escaped: it may hold what came from the wire.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...analysis.keyless.facts import TlsFacts
from ...analysis.keyless.records import QUIC, TLS
from ...analysis.listing import Listed
from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import SEVERITIES, Verdict
from ...text.escape import escape, preview
from ...text.wording import count, duration, span

TARGET_WIDTH = 60
"""Cells of a request line."""
_PACKETS = re.compile(r"packets? (\d+)(?:(?:-| to | and )(\d+))?")
MAX_PACKETS = 8
"""Packets of a verdict that are named."""

STREAMED = {"h2": "HTTP/2", "h3": "HTTP/3"}
"""Protocols that have several streams at once, by their name in ALPN."""


def request_line(listed: Listed, width: int = TARGET_WIDTH) -> str:
    """Return method and target, cut to about ``width`` cells; of TLS, what was agreed on."""
    if listed.tls is not None:
        return preview(tls_line(listed.tls), "utf-8", width)
    if listed.method is None:
        return "(request not captured)"
    return preview(f"{listed.method} {listed.target or ''}".rstrip(), "utf-8", width)


def title(listed: Listed) -> str:
    """Return which exchange it is: ``GET /chat (exchange 3, packets 12-88)``.

    Of TLS that was not decrypted, which connection: ``TLS 1.3, api.example (connection 0, ...)``.
    """
    packets = span(listed.first_packet, listed.last_packet)
    word = "packet" if listed.first_packet == listed.last_packet else "packets"
    sealed = f"connection {listed.connection}"
    which = sealed if listed.number is None else f"exchange {listed.number}"
    return f"{request_line(listed)} ({which}, {word} {packets})"


def tls_line(tls: TlsFacts) -> str:
    """Return what a TLS connection agreed on, in a few words, not escaped."""
    version = "TLS" if tls.version is None else tls.version.replace("TLSv", "TLS ")
    chosen = tls.alpn or " or ".join(tls.alpn_offered[:2])
    # A name may be long: what stands after it is cut where there is little room.
    return ", ".join(filter(None, (version, chosen, tls.sni or "")))


def tls_details(tls: TlsFacts) -> list[str]:
    """Return the facts of a TLS connection in phrases."""
    facts = [tls.cipher or "", "session resumed" * (tls.resumed is True)]
    facts.append("early data" * (tls.early_data is True))
    if tls.handshake is not None:
        facts.append(f"handshake {duration(tls.handshake)}")
    unit = (QUIC if tls.layer == "quic" else TLS).name
    facts += [
        f"{sender}: {count(side.records, unit)}, {count(side.bytes, 'byte')}"
        for sender, side in (("client", tls.client), ("server", tls.server))
    ]
    if tls.requests:
        facts.append(f"{count(tls.requests, 'request')} answered")
        name = STREAMED.get(tls.alpn or " ".join(tls.alpn_offered[:1]))
        if name is not None:
            facts.append(f"several streams of {name} at once would be judged as one")
    facts.append(f"{'not' if tls.decrypted == 'no' else 'not all'} decrypted ({tls.reason})")
    return [escape(fact) for fact in facts if fact]


def headline(outcome: Outcome) -> str:
    """Return in a line which exchange it is, and the gravest that is said of it."""
    listed, said = outcome.listed, leading(outcome.verdicts)
    if said is None:
        return title(listed)
    # What is but worth a note does not stand in the place of the answer.
    answers = (listed.verdict, listed.end) if said.severity == "note" else ()
    told = ", ".join(word for word in answers if word and word != said.answer)
    return f"{title(listed)}: {told}{'; ' if told else ''}{summary(said)}"


def fine(listed: Listed) -> str:
    """Return what came of an exchange that is as it should be: ``streamed, whole: 9 events``."""
    said = ", ".join(filter(None, (listed.verdict, listed.end)))
    if listed.tls is not None:
        return said
    came = count(listed.count, listed.element) if listed.count else "no content"
    if listed.first is not None and listed.last is not None:
        first, last = duration(listed.first), duration(listed.last)
        came += f" at {first}" if first == last else f" from {first} to {last}"
    return f"{said}: {came}" if said else came


def sealed_sentence(outcome: Outcome) -> str:
    """Return what is said of a TLS connection that was not decrypted: whether the answer that it
    is listed with streamed, as far as sizes and times tell; without an answer, how it ended."""
    listed, verdicts, _ = outcome
    question, answer = ("streaming", listed.verdict) if listed.verdict else ("ending", listed.end)
    return next(
        summary(one) for one in verdicts if (one.question, one.answer) == (question, answer)
    )


def leading(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the first of the gravest verdicts."""
    return max(verdicts, key=lambda one: SEVERITIES.index(one.severity), default=None)


def summary(verdict: Verdict) -> str:
    """Return what a verdict says in a sentence."""
    return escape(verdict.summary)


def packets(verdict: Verdict) -> str:
    """Return the packets that show it: ``packets 12, 88``; empty if there are none."""
    if not verdict.packets:
        return ""
    shown = ", ".join(map(str, verdict.packets[:MAX_PACKETS]))
    more = len(verdict.packets) - MAX_PACKETS
    word = "packet" if len(verdict.packets) == 1 else "packets"
    return f"{word} {shown}" + (f" and {more} more" if more > 0 else "")


def is_cited(verdict: Verdict) -> bool:
    """Whether its sentence names every packet that shows it."""
    named = {
        int(number) for found in _PACKETS.findall(verdict.summary) for number in found if number
    }
    return named >= set(verdict.packets)


def details(verdict: Verdict) -> list[tuple[str, str]]:
    """Return what a verdict rests on and what to do, each line under a label.

    Causes that packets prove all hold; of the others, if they are several, it is one. Of several
    causes each has its own remedy beside it.
    """
    lines: list[tuple[str, str]] = []
    several = len(verdict.causes) > 1
    open_ones = [cause for cause in verdict.causes if cause.sure != "certain"]
    for cause in verdict.causes:
        is_open = cause.sure != "certain" and len(open_ones) > 1
        label = ("either" if cause is open_ones[0] else "or") if is_open else "cause"
        is_new = cause.summary and cause.summary not in verdict.summary
        said = f"{cause.code}: {cause.summary}" if is_new else cause.code
        said += f" ({cause.sure})" if cause.sure != "certain" and not is_open else ""
        said += f" → {cause.remedy}" if several and cause.remedy else ""
        lines.append((label, escape(said)))
    lines += [("seen", escape(line)) for line in verdict.evidence]
    own = [cause.remedy for cause in verdict.causes[:1] if not several]
    more = [("to tell", verdict.to_tell), *(("do", text) for text in (*own, verdict.remedy))]
    more.append(("see", verdict.reference))
    return lines + [(label, escape(text)) for label, text in more if text]


def counted(tally: Tally) -> str:
    """Return what exchanges came to: ``5 exchanges: 3 ok, 1 warning, 1 error``."""
    counts = tally.counts
    parts = [f"{counts['ok']:,} ok"]
    parts += [count(counts[word], word) for word in SEVERITIES[1:] if counts[word]]
    many = [count(tally.exchanges - tally.sealed, "exchange")]
    if tally.sealed:
        amount = "not fully decrypted" if tally.opened else "not decrypted"
        sealed = f"{count(tally.sealed, 'TLS connection')} that {_was(tally.sealed)} {amount}"
        many = [*(many if tally.exchanges > tally.sealed else []), sealed]
    return f"{' and '.join(many)}: {', '.join(parts)}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
