"""``wireproof redact``: the same capture without its secrets, to be sent to someone.

Strategy: the first pass over the file finds the secrets and where they lie in which frame
(:mod:`.frames`); the second copies it block by block, with those bytes replaced and the checksums
of their segments set right. The copy is a file without a name, as long as it is not proven: it is
decoded again and searched for each of them (:mod:`.proof`). What a frame still holds is masked, and
the copy made anew. Lengths, times and numbers of packets stay, so whoever gets the copy sees the
same chunks, events, frames and gaps. Secrets that decrypt TLS are left out, as their blocks hold
nothing else, and texts of the file itself (comments, names) are looked through. A pcap file becomes
pcapng.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from dataclasses import replace as replaced
from itertools import chain
from shutil import copyfileobj
from typing import BinaryIO

from msgspec.structs import replace
from parsers import (
    BATCH,
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    OBSOLETE_PACKET,
    SECTION_HEADER,
    SIMPLE_PACKET,
    Block,
    CaptureReader,
    OrderedCapture,
    Packet,
    UnreadableCapture,
    UsualBlocks,
)

from ..opening import open_capture
from ..output import buffered_scratch, open_stream
from ..tasks.annotate import pcap_as_blocks, with_unknown_length
from ..tasks.decode import check_output
from ..text.progress import shown
from .frames import FrameMasks
from .proof import LeftSecret, Proof
from .records import mask_bytes
from .rules import Rules
from .secrets import Policy, Report, find
from .structure.blocks import without_texts
from .structure.frames import StructureMasks
from .structure.proof import StructureProof

Masks = FrameMasks | StructureMasks
Part = UsualBlocks | tuple[Block, Packet | None]
"""What a file is copied as."""
READ_TWICE = "it is read twice, which only a file can be"
COPIED_AT_ONCE = 1 << 20
"""Bytes of the copy."""
DATA = {ENHANCED_PACKET: 20, OBSOLETE_PACKET: 20, SIMPLE_PACKET: 4}
"""Where a packet's bytes begin in the bodies of the blocks that hold one (pcapng section 4)."""


@dataclass
class Redacted:
    """What became of a capture."""

    report: Report
    not_looked_into: Mapping[str, int]
    """Packets that stay as they are, for they are encrypted, by what encrypts them."""
    not_summed: int = 0
    """Packets in fragments whose checksum does not fit what was masked in them."""
    left: Sequence[LeftSecret] = ()
    """Where secrets can still be read when the copy is decoded."""
    packets: int = 0
    changed: int = 0
    key_logs: int = 0
    """Blocks with secrets that decrypt TLS, which were left out."""


def open_to_mask(source: str, stack: ExitStack) -> BinaryIO:
    """Open a capture once for all the times that it is read: one that grows meanwhile has no more
    than was searched.

    Raises OSError, and ValueError for standard input.
    """
    if source == "-":
        raise ValueError(READ_TWICE)
    return stack.enter_context(open_capture(source))


def from_its_beginning(file: BinaryIO) -> BinaryIO:
    """Return a capture to be read once more. Raises ValueError for a pipe."""
    try:
        file.seek(0)
    except OSError as error:
        raise ValueError(READ_TWICE) from error
    return file


def find_in_frames(file: BinaryIO, policy: Policy | Rules) -> FrameMasks:
    """Return the masks of a capture file, which is read again to apply them.

    Raises OSError, and ValueError for what is no capture.
    """
    masks = FrameMasks(policy)
    _read(file, masks, "looking for secrets")
    return masks


def _read(file: BinaryIO, masks: Masks, what: str) -> None:
    with shown(file, what) as stream:
        capture = OrderedCapture(stream)
        for batch in capture.batches(4 * BATCH, lambda: masks.room):
            masks.add(batch, capture.sort)
    masks.end()


def redact_capture(
    source: str, output: str, policy: Policy | Rules, say: Callable[[str], object]
) -> Redacted:
    """Copy the capture ``source`` to ``output`` as pcapng, without its secrets.

    ``say`` takes what a user should know. Raises OSError for what cannot be read or written,
    ValueError for what is no capture, for standard input, and for an output that is the input.
    """
    check_output(source, output)
    rules = Rules.of(policy)
    write = _without_content if rules.policy == "structure" else _without_secrets
    with ExitStack() as stack:
        file = open_to_mask(source, stack)
        copy = stack.enter_context(buffered_scratch())
        done = write(file, copy, rules, say)
        copy.seek(0)
        copyfileobj(copy, open_stream(output, stack), COPIED_AT_ONCE)
    return done


def _without_secrets(
    file: BinaryIO, copy: BinaryIO, rules: Rules, say: Callable[[str], object]
) -> Redacted:
    """Write a proven copy in which what was found is masked."""
    masks = find_in_frames(file, rules)
    proof = Proof(masks)
    done = _copied(file, copy, masks, say)
    proof.search(copy)
    if proof.left:  # now that all are known: what of them came before, or in pieces
        rules = replaced(masks.rules, known=masks.report.found)
        masks = find_in_frames(from_its_beginning(file), rules)
        proof = Proof(masks)
        done = _copied(file, copy, masks, lambda _: None)
        proof.search(copy)
    if proof.holds_frames:
        proof.clean(from_its_beginning(file))
        done = _copied(file, copy, masks, lambda _: None)
        proof.search(copy)
    done.left = proof.left
    return done


def _without_content(
    file: BinaryIO, copy: BinaryIO, rules: Rules, say: Callable[[str], object]
) -> Redacted:
    """Write a proven copy in which everything is masked that is not known to be structure."""
    with closing(StructureMasks(rules)) as masks:
        _read(file, masks, "looking for structure")
        done = _copied(file, copy, masks, say)
    proof = StructureProof(masks.opaque)
    proof.search(copy)
    done.left = proof.left
    return done


def _copied(file: BinaryIO, copy: BinaryIO, masks: Masks, say: Callable[[str], object]) -> Redacted:
    """Write the capture ``file`` without its secrets to ``copy``, which then is at its start."""
    copy.seek(0)
    copy.truncate()
    if masks.needs_sums:
        masks.begin_sums()
        with shown(from_its_beginning(file), "summing up") as stream:
            for batch in OrderedCapture(stream).batches(BATCH):
                masks.sum_up(batch)
    done = Redacted(masks.report, masks.not_looked_into, not_summed=masks.sums.given_up)
    with shown(from_its_beginning(file), "writing") as stream:
        reader = CaptureReader(stream)
        parts: Iterator[Part] = (
            reader.copied(masks.changed) if reader.format == "pcapng" else pcap_as_blocks(reader)
        )
        first = next(parts, None)
        if first is None:
            raise UnreadableCapture(f"not one block can be read: {reader.faults[0].detail}")
        for data in _rewritten(chain([first], parts), masks, done):
            copy.write(data)
    for fault in reader.faults:
        say(f"{file.name}: {fault.text}")
    copy.seek(0)
    return done


def _rewritten(parts: Iterable[Part], masks: Masks, done: Redacted) -> Iterator[bytes]:
    """Yield the file without secrets."""
    changed = masks.changed
    for part in parts:
        if isinstance(part, UsualBlocks):
            done.packets += part.packets
            yield part.data
            continue
        block, packet = part
        kept: Block | None
        if packet is not None:
            done.packets += 1
            done.changed += packet[0] in changed
            kept = _with_data(block, masks.masked(packet), masks)
        elif block.type == DECRYPTION_SECRETS and masks.rules.policy != "none":
            done.key_logs += 1
            continue
        elif block.type == SECTION_HEADER:
            kept = _with_masked_texts(block, 16, masks)
            kept = None if kept is None else with_unknown_length(kept)
        else:
            kept = _with_masked_texts(block, 0, masks)
        if kept is not None:
            yield kept.encoded()


def _with_data(block: Block, data: bytes, masks: Masks) -> Block | None:
    """Return a packet's block with other bytes of the same length."""
    start = DATA[block.type]
    end = start + len(data)
    changed = replace(block, body=block.body[:start] + data + block.body[end:])
    return _with_masked_texts(changed, end, masks)


def _with_masked_texts(block: Block, start: int, masks: Masks) -> Block | None:
    """Return a block whose texts, from ``start`` on, have no secrets; None if it is left out."""
    if isinstance(masks, StructureMasks):
        return without_texts(block, start)
    texts = block.body[start:]
    if not texts or not masks.rules.is_thorough:
        return block
    spans = find(texts.decode("latin-1"), masks.rules.patterns)
    spans += [(begin, end) for begin, end, _ in masks.report.found.left_in(texts)]
    return replace(block, body=block.body[:start] + mask_bytes(texts, spans)) if spans else block
