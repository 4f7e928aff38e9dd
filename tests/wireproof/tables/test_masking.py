"""What tables say of exchanges, masked after it was judged."""

from __future__ import annotations

from io import BytesIO

import msgspec
import pytest
from support.corpus import ROOT

from parsers.decode.capture import decode
from parsers.records import BodyRecord, ChunkRecord, RequestRecord, SseEventRecord
from wireproof.analysis.listing import SessionName
from wireproof.analysis.outcomes import outcomes
from wireproof.analysis.verdict import Verdict, verdict_record
from wireproof.redact import Policy
from wireproof.tables.masking import masked_line, masked_verdict, masker

KEY = "sk-abcdefghijklmnopqrstuvwx"
RECORDS = list(decode(BytesIO((ROOT / "fixtures" / "sse" / "plain.pcapng").read_bytes())))


@pytest.mark.parametrize(
    "policy, in_target, in_session", [("none", 1, 1), ("headers", 1, 0), ("all", 0, 0)]
)
def test_lines(policy: Policy, in_target: bool, in_session: bool) -> None:
    [one] = outcomes([RECORDS])
    sessions = [SessionName("x-session-id", KEY), SessionName("x-trace-id", "t1")]
    line = msgspec.structs.replace(one.listed, target=f"/sse?key={KEY}", sessions=sessions)
    found = masked_line(line, policy)
    assert (KEY in str(found.target), KEY in found.sessions[0].id) == (in_target, in_session)
    assert len(str(found.target)) == len(str(line.target)) and found.sessions[1].id == "t1"


@pytest.mark.parametrize("policy, is_masked", [("none", False), ("headers", False), ("all", True)])
def test_verdicts(policy: Policy, is_masked: bool) -> None:
    verdict = Verdict(
        "resume", "lost", "error", f"after {KEY}", evidence=(KEY,), numbers={"last": KEY, "lost": 2}
    )
    found = masked_verdict(verdict_record(verdict, 0, 0), policy)
    texts = (found.summary, found.evidence[0], str(found.numbers["last"]))
    assert all((KEY not in text) == is_masked for text in texts) and found.numbers["lost"] == 2


def test_what_carries_payload_alone_is_passed_over_where_that_is_left_out() -> None:
    event = next(one for one in RECORDS if isinstance(one, SseEventRecord))
    assert masker("headers", keep_data=False)([event])[0] is event


def test_what_has_header_fields_is_masked_beside_what_has_none() -> None:
    event = next(one for one in RECORDS if isinstance(one, SseEventRecord))
    chunk = next(one for one in RECORDS if isinstance(one, ChunkRecord))
    request = next(one for one in RECORDS if isinstance(one, RequestRecord))
    told = msgspec.structs.replace(chunk, trailers=[("x-api-key", KEY)])
    asked = msgspec.structs.replace(request, headers=[("cookie", f"a={KEY}")])
    body = next(one for one in RECORDS if isinstance(one, BodyRecord))
    ended = msgspec.structs.replace(body, trailers=[("x-api-key", KEY)])
    mask = masker("headers", keep_data=False)
    assert mask([body, chunk])[0] is body and KEY not in str(mask([ended])[0])
    for given in ([chunk, event], [chunk, told], [asked, chunk, told, event, ended]):
        found = mask(given)
        assert KEY not in str([getattr(one, "headers", one) for one in found if one is not event])
        assert [one.length for one in found] == [one.length for one in given]
    assert mask([chunk, request, event]) == [chunk, request, event]
