"""What the sizes of a stream's records give away of what it says, and what hides it.

A model's answer that is streamed token by token shows the length of each token in the size of its
record: topics were told from sizes and times alone ("Whisper Leak", arXiv 2511.03675), and from
token lengths whole answers (arXiv 2403.09751). Records padded to a block (RFC 8446 section 5.4), or
several tokens a record, hide much of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ...text.wording import count
from ..arrivals import LEAST
from ..pace import MAX_PACKETS
from ..verdict import Severity, Verdict
from .pace import SealedAnswer
from .sizes import Sealing

LEAST_BLOCK = 16
"""Bytes. Sizes that are all multiples of less may be so by chance."""
LEAST_SIZES = 3
"""Sizes that must agree on a block, so that chance is ruled out."""
PAPER = "arXiv 2511.03675"
MOST_DIGITS = 7
"""Digits of a counter that is looked for: more events have no records here."""
SLIGHT = 0.01
"""Part of the least size up to which all that differs is a few characters of each event."""
REMEDY = "send several tokens in one event, or pad each event to a fixed size"


def judge_lengths(answer: SealedAnswer, pace: Verdict, sealing: Sealing) -> Verdict | None:
    """Say what the sizes of an answer's records tell; None where it is no stream."""
    if pace.answer not in ("streamed", "bursty") or len(answer.elements) <= LEAST:
        return None
    # The first may have the response's header in it.
    several = answer.elements[0 if answer.is_head_apart else 1 :]
    sizes = [one.size for one in several]
    distinct = sorted(set(sizes))
    block = _block(distinct, sealing)
    many = f"{answer.medium.counted(sizes)} of {count(len(distinct), 'size')}"
    between = f"{many} from {distinct[0]:,} to {distinct[-1]:,} bytes"
    if len(distinct) == 1:
        all_of = f"all {answer.medium.counted(sizes)}"
        said = f"{all_of} have {distinct[0]:,} bytes: padded, or of equal length"
        return _verdict(answer, "even", "ok", said)
    if block > 1:
        said = f"{between}, all of them whole blocks of {block} bytes: lengths are padded"
        return _verdict(answer, "padded", "ok", said)
    if steps := _counter_steps(sizes):
        after = " and ".join(f"{step:,}" for step in steps)
        said = (
            f"{between}, which grow after {after} records, as when a counter gains a digit:"
            " they give away how many events there were, but not what each says"
        )
        return _verdict(answer, "even", "ok", said)
    if pace.answer == "bursty":
        said = f"{between}, several at a time: batches hide single lengths"
        return _verdict(answer, "batched", "ok", said)
    said = (
        f"{between}: each size gives away the length of its event, and where a model streams"
        " token by token, the length of each token"
    )
    spread = distinct[-1] - distinct[0]
    if spread <= SLIGHT * distinct[0]:
        said += f"; they differ by {count(spread, 'byte')} at most, and give away no more than that"
    return _verdict(
        answer, "token-lengths", "note", said, [one.packet for one in several], REMEDY, PAPER
    )


def _counter_steps(sizes: Sequence[int]) -> list[int]:
    """Return after how many records a counter from 0 or 1 explains that sizes grow; none if it
    does not.

    A digit more is a byte more, or as many for each place that it is written in.
    """
    steps = [at for at in range(1, len(sizes)) if sizes[at] != sizes[at - 1]]
    grown = {sizes[at] - sizes[at - 1] for at in steps}
    counters = ([10**digits - first for digits in range(1, MOST_DIGITS)] for first in (0, 1))
    is_counted = any(steps == counter[: len(steps)] for counter in counters)
    return steps if is_counted and len(grown) == 1 and min(grown) > 0 else []


def _block(distinct: Sequence[int], sealing: Sealing) -> int:
    """Return what all sizes are padded to, 1 if to nothing that can be told."""
    if sealing.block > 1:
        return sealing.block
    # Of TLS 1.3 the content is padded together with its type, which the overhead counts.
    contents = [size - sealing.overhead + 1 for size in distinct]
    found = gcd(*contents)
    is_told = found >= LEAST_BLOCK and len(distinct) >= LEAST_SIZES
    return found if is_told else 1


def _verdict(
    answer: SealedAnswer,
    word: str,
    severity: Severity,
    summary: str,
    packets: Sequence[int] = (),
    remedy: str = "",
    reference: str = "",
) -> Verdict:
    which = f"request {answer.number + 1} of {answer.of}: " if answer.of > 1 else ""
    return Verdict(
        "sizes",
        word,
        severity,
        f"{which}{answer.medium.alone}, {summary}",
        tuple(sorted(set(packets))[:MAX_PACKETS]),
        numbers={"sizes": sorted({one.size for one in answer.elements})[:MAX_PACKETS]},
        remedy=remedy,
        reference=reference,
        exchange=answer.number,
        basis=answer.medium.basis,
    )
