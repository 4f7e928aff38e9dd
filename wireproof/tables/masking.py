"""What tables say of exchanges, without its secrets: verdicts are reached first, and masked then.

Strategy: who judges needs what is masked (an ID by which a stream goes on may look like a key), so
rows are masked when they are made. Records are masked by the redactor; of those that carry payload
alone and lose it anyway nothing is left to mask, and they are nine in ten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter

from msgspec.structs import replace
from parsers.records import (
    BodyRecord,
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
from ..redact import Policy, Redactor, Rules, mask_text
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

TRAILED = (ChunkRecord, BodyRecord)
"""Records whose only header fields are trailers, which few of them have."""
TRAILERS = attrgetter("trailers")

Mask = Callable[[Sequence[Record]], Sequence[Record]]


def masker(policy: Policy | Rules, *, keep_data: bool) -> Mask:
    """Return what masks the records of one capture, in their order, as many as come."""
    rules = Rules.of(policy)
    redact = Redactor(rules).redact
    if rules.policy == "none":
        return lambda records: records
    if keep_data or rules.policy != "headers":
        return lambda records: list(map(redact, records))

    def mask(records: Sequence[Record]) -> Sequence[Record]:
        # Without a call for each: nine in ten are chunks and events, or ends of bodies.
        kinds = set(map(type, records))
        trailed = [one for one in records if isinstance(one, TRAILED)]
        if kinds <= PAYLOAD_ALONE.union(TRAILED) and not any(map(TRAILERS, trailed)):
            return records
        return [
            one
            if type(one) in PAYLOAD_ALONE or (isinstance(one, TRAILED) and not one.trailers)
            else redact(one)
            for one in records
        ]

    return mask


def masked_line(found: Listed, policy: Policy | Rules) -> Listed:
    """Return an exchange's line without secrets."""
    rules = Rules.of(policy)
    if rules.policy == "none" or (rules.policy == "headers" and not found.sessions):
        return found
    pairs = [(one.field, one.id) for one in found.sessions]
    sessions = [SessionName(*pair) for pair in mask_fields(pairs, rules)[0]]
    if rules.policy == "headers":
        return replace(found, sessions=sessions)
    return replace(
        found,
        sessions=sessions,
        target=found.target and mask_text(found.target, rules.patterns),
        grpc_message=found.grpc_message and mask_text(found.grpc_message, rules.patterns),
    )


def masked_verdict(found: VerdictRecord, policy: Policy | Rules) -> VerdictRecord:
    """Return what is said of an exchange without secrets that it quotes."""
    rules = Rules.of(policy)
    if not rules.is_thorough:
        return found
    masked = partial(mask_text, patterns=rules.patterns)
    return replace(
        found,
        summary=masked(found.summary),
        evidence=tuple(map(masked, found.evidence)),
        numbers=_numbers(found.numbers, masked),
        causes=tuple(replace(one, summary=masked(one.summary)) for one in found.causes),
    )


def _numbers(numbers: Mapping[str, Number], masked: Callable[[str], str]) -> dict[str, Number]:
    return {name: masked(one) if isinstance(one, str) else one for name, one in numbers.items()}
