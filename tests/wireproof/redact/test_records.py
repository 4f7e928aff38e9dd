"""Records without their secrets."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
from support.handmade import Wire
from support.planted import in_headers, planted
from support.stored import SMALL, name

from parsers.decode.capture import decode
from parsers.diagnostics import FAULTS
from parsers.records import ChunkRecord, Record
from wireproof.redact import Policy, Redactor
from wireproof.redact.records import is_coded

TAPE, SECRETS = planted()
RECORDS = TAPE.records()
KEY = "sk-proj-abcdefghijklmnop"
STARS = "*" * len(KEY)


def as_text(records: list[Record]) -> str:
    """All that the records say, data in base64 too."""
    text = msgspec.json.Encoder().encode_lines(records).decode()
    coded = re.findall(r'"data":"([^"]*)","encoding":"base64"', text)
    return text + " ".join(b64decode(data).decode("latin-1") for data in coded)


def redacted(records: list[Record], policy: Policy = "all") -> list[Record]:
    return [*map(Redactor(policy).redact, records)]


def test_there_are_enough_secrets_to_be_found() -> None:
    assert len(SECRETS.made) > 60
    # Bodies that are not chunked stand in no record.
    assert len(SECRETS.found_in(as_text(RECORDS))) > 55


def test_no_secret_is_left() -> None:
    assert SECRETS.found_in(as_text(redacted(RECORDS))) == []


def test_by_default_no_secret_of_a_known_field_is_left() -> None:
    left = SECRETS.found_in(as_text(redacted(RECORDS, "headers")))
    assert not set(left) & set(in_headers(SECRETS))
    assert len(in_headers(SECRETS)) == 16 and len(left) > 40


def test_nothing_changes_without_a_policy() -> None:
    assert redacted(RECORDS, "none") == RECORDS


@pytest.mark.parametrize("policy", ["headers", "all"])
def test_places_and_sizes_stay(policy: Policy) -> None:
    for before, after in zip(RECORDS, redacted(RECORDS, policy), strict=True):
        for field in type(before).__struct_fields__:
            was, now = getattr(before, field), getattr(after, field)
            if was != now:
                assert field in {"target", "reason", "headers", "trailers", "extension", "data",
                                 "encoding", "fields", "id", "event", "sha256", "close_reason",
                                 "summary"}  # fmt: skip
                if isinstance(was, str) and isinstance(now, str) and field == "data":
                    assert len(was) == len(now)


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_captures_without_secrets_stay_as_they_are(path: Path) -> None:
    with path.open("rb") as stream:
        records = list(decode(stream))
    is_coded = path.stem.startswith(("gzip", "deflate"))
    assert redacted(records, "headers") == records
    changed = [
        record.record
        for record, after in zip(records, redacted(records), strict=True)
        if record != after and not is_coded and not (record.record == "body" and not after.sha256)
    ]
    assert changed == []


def test_digests_of_what_was_masked_are_left_out() -> None:
    wire = Wire()
    records = [
        wire.request(),
        wire.response(("Transfer-Encoding", "chunked")),
        wire.chunk(f"a {KEY}"),
        wire.chunk(),
        wire.body(sha256="ab"),
    ]
    assert redacted(records)[-1].sha256 == ""
    assert redacted(records, "headers")[-1].sha256 == "ab"


def test_digests_of_what_was_looked_at_stay() -> None:
    wire = Wire()
    records = [wire.response(), wire.chunk("open"), wire.chunk(), wire.body(sha256="ab")]
    assert redacted(records)[-1].sha256 == "ab"


def test_digests_of_what_no_record_shows_are_left_out() -> None:
    wire = Wire()
    records = [wire.response(framing="content-length"), wire.body(sha256="ab", chunks=None)]
    assert redacted(records)[-1].sha256 == ""


def test_coded_chunks_are_left_out_and_their_events_masked() -> None:
    wire = Wire()
    redactor = Redactor("all")
    records = [
        wire.response(("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip")),
        wire.chunk("H4sI", encoding="base64"),
        wire.event(("data", f"a {KEY}"), ("", "ping"), data=f"a {KEY}"),
    ]
    _, chunk, event = map(redactor.redact, records)
    assert (chunk.data, chunk.encoding, chunk.size) == (None, None, 4)
    assert (event.data, event.fields) == (f"a {STARS}", [("data", f"a {STARS}"), ("", "ping")])
    assert (redactor.report.masked, redactor.report.left_out) == (1, 1)


def test_compressed_frames_are_left_out_and_their_message_masked() -> None:
    wire = Wire()
    records = [
        *wire.upgrade(),
        wire.frame("text", "aaaa", rsv1=True, fin=False),
        wire.frame("ping", "open"),
        wire.frame("continuation", "bbbb"),
        wire.message(KEY, compressed=True, frames=2),
        wire.frame("text", "plain"),
    ]
    *_, first, ping, second, message, plain = redacted(records)
    assert (first.data, second.data) == (None, None)
    assert (ping.data, message.data, plain.data) == ("open", STARS, "plain")


def test_without_payloads() -> None:
    records = redacted(TAPE.records(keep_data=False))
    assert SECRETS.found_in(as_text(records)) == []
    assert not [r for r in records if r.record == "body" and r.sha256 and r.decoded_size]


def test_diagnostics_do_not_quote_secrets() -> None:
    def summary(code: str, detail: str, policy: Policy) -> str:
        whole = f"{FAULTS[code].summary}: {detail}"
        return redacted([Wire().fault(code=code, summary=whole)], policy)[0].summary

    invalid = "http-field-invalid"
    assert "abc" not in summary(invalid, "a control in 'X-Api-Key: abc\\x01'", "headers")
    assert "abc" in summary(invalid, "a control in 'Accept: abc\\x01'", "headers")
    assert "abc" not in summary(invalid, "a control in 'Accept: abc\\x01'", "all")
    assert "abc" not in summary("http-obs-fold", "' abc'", "headers")
    assert "5 chunks" in summary("chunk-last-missing", "after 5 chunks", "all")


def test_what_is_remembered_ends_with_its_connection() -> None:
    redactor = Redactor("all")
    for record in RECORDS:
        redactor.redact(record)
    assert list(redactor._exchanges.open()) == []


def test_content_whose_head_was_not_captured_is_taken_for_coded() -> None:
    """It may be: then nobody can say what is in it."""
    [chunk] = redacted([Wire().chunk(f"key {KEY}")])
    assert isinstance(chunk, ChunkRecord)
    assert chunk.data is None


def test_codings() -> None:
    wire = Wire()
    assert is_coded(wire.request("/", ("Content-Encoding", "br"), ("Content-Length", "3")))
    assert is_coded(wire.response(("Transfer-Encoding", "gzip, chunked")))
    plain = ("Content-Encoding", "identity"), ("Transfer-Encoding", "identity, Chunked")
    assert not is_coded(wire.response(*plain))
