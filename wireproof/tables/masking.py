"""What tables say of exchanges, without its secrets: verdicts are reached first, and masked then.

Strategy: who judges needs what is masked (an ID by which a stream goes on may look like a key), so
rows are masked when they are made. Records are masked by the redactor; of those that carry payload
alone and lose it anyway nothing is left to mask, and they are nine in ten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace
from parsers.records import (
    ChunkRecord,
    DataRecord,
    Http2DataRecord,
    Http3DataRecord,
    JsonLineRecord,
    Record,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..analysis.listing import Listed, SessionName
from ..analysis.verdict import Number, VerdictRecord
from ..redact import Policy, Redactor, mask_text
from ..redact.fields import mask_fields

PAYLOAD_ALONE = frozenset(
    (
        DataRecord,
        Http2DataRecord,
        Http3DataRecord,
        JsonLineRecord,
        SseEventRecord,
        WebSocketFrameRecord,
        WebSocketMessageRecord,
    )
)
"""Records without header fields: with known fields masked and no payload they have no secret."""


def masker(policy: Policy, *, keep_data: bool) -> Callable[[Record], Record]:
    """Return what masks the records of one capture, in their order."""
    redact = Redactor(policy).redact
    if keep_data or policy != "headers":
        return redact

    def mask(record: Record) -> Record:
        kind = type(record)
        if kind in PAYLOAD_ALONE or (isinstance(record, ChunkRecord) and not record.trailers):
            return record
        return redact(record)

    return mask


def masked_line(found: Listed, policy: Policy) -> Listed:
    """Return an exchange's line without secrets."""
    if policy == "none":
        return found
    pairs = [(one.field, one.id) for one in found.sessions]
    sessions = [SessionName(*pair) for pair in mask_fields(pairs, policy)[0]]
    if policy == "headers":
        return replace(found, sessions=sessions)
    return replace(
        found,
        sessions=sessions,
        target=_masked(found.target),
        grpc_message=_masked(found.grpc_message),
    )


def masked_verdict(found: VerdictRecord, policy: Policy) -> VerdictRecord:
    """Return what is said of an exchange without secrets that it quotes."""
    if policy != "all":
        return found
    return replace(
        found,
        summary=mask_text(found.summary),
        evidence=tuple(map(mask_text, found.evidence)),
        numbers=_numbers(found.numbers),
        causes=tuple(replace(one, summary=mask_text(one.summary)) for one in found.causes),
    )


def _numbers(numbers: Mapping[str, Number]) -> dict[str, Number]:
    return {name: mask_text(one) if isinstance(one, str) else one for name, one in numbers.items()}


def _masked(text: str | None) -> str | None:
    return text and mask_text(text)
