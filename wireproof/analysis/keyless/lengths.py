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
    if pace.answer == "bursty":
        said = f"{between}, several at a time: batches hide single lengths"
        return _verdict(answer, "batched", "ok", said)
    said = (
        f"{between}: each size gives away the length of its event, and where a model streams"
        " token by token, the length of each token"
    )
    return _verdict(
        answer, "token-lengths", "note", said, [one.packet for one in several], REMEDY, PAPER
    )


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
