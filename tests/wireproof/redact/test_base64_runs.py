"""Secrets in base64 that stands in text, however it is cut."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.framed import aws_message, aws_string
from support.talk import Talk, decoded

from parsers.records import AwsEventRecord
from wireproof.redact import Redactor
from wireproof.redact.base64_runs import Base64Runs
from wireproof.redact.frames import FrameMasks
from wireproof.redact.secrets import mask_spans

KEY = "sk-proj-abcdefghijklmnop"


def masked(text: str, size: int) -> str:
    runs = Base64Runs()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return "".join(mask_spans(piece, runs.feed(piece)) for piece in pieces)


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def hidden(text: str) -> list[str]:
    """What hides a text: base64, that of URLs, and both without padding."""
    plain, url = base64(text), urlsafe_b64encode(text.encode()).decode()
    return [plain, url, plain.rstrip("="), url.rstrip("=")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 1_000])
@pytest.mark.parametrize("before", ["a note: ", "a long note: ", "???>>> ??>: "])
def test_quanta_of_a_secret_are_masked(size: int, before: str) -> None:
    for run in hidden(f"{before}{KEY} and more; " + "x" * size):
        found = masked(f'{{"bytes": "{run}", "n": 1}}', size)
        first = len(before) // 3 * 4
        last = -(-(len(before) + len(KEY)) // 3) * 4
        expected = f'{{"bytes": "{run[:first]}{"*" * (last - first)}{run[last:]}", "n": 1}}'
        first += len('{"bytes": "')
        assert found == expected or size < 1_000
        # What shows of it is what tells that it is one, its prefix; and a quantum that is not whole
        # is masked when it may go on.
        end = first + len(KEY) // 3 * 4
        assert set(found[first + 8 : end]) == {"*"}, (run, found)
        assert (found[:first], found[end + 7 :]) == (expected[:first], expected[end + 7 :])


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_key_that_a_model_writes_token_by_token(size: int) -> None:
    tokens = [KEY[:7], KEY[7:12], KEY[12:18], KEY[18:]]
    runs = [base64(json.dumps({"delta": {"text": token}})) for token in tokens]
    text = "\n".join(f'{{"bytes":"{run}","p":"abcdefghijklmnopqrstuvwxyz01"}}' for run in runs)
    found = masked(text, size)
    for token, run in zip(tokens, runs, strict=True):
        at = json.dumps({"delta": {"text": token}}).index(token)
        inside = run[-(-at // 3) * 4 : (at + len(token)) // 3 * 4]
        assert inside not in found or size == 1 and inside in run[:16]
    assert "abcdefghijklmnopqrstuvwxyz01" in found


HARMLESS = [
    base64("nothing to hide in here, is there?"),
    b64encode(sha256(b"x").digest()).decode(),
    sha256(b"x").hexdigest(),
    "/a/path/to/a/file/that/is/long/enough",
    base64(KEY)[:14],
    b64encode(b"\x00\x01" + KEY.encode()).decode(),  # no text
    "",
]


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_other_runs_are_left(text: str, size: int) -> None:
    assert masked(f"x {text} y", size) == f"x {text} y"


@given(st.lists(st.sampled_from([base64(KEY), "text", " ", "é", "====", "abcd-_"]), max_size=9))
def test_spans_lie_in_their_piece(pieces: list[str]) -> None:
    runs = Base64Runs()
    for piece in pieces:
        for start, end in runs.feed(piece):
            assert 0 <= start < end <= len(piece)


def test_events_of_bedrock_in_packets_and_in_records() -> None:
    """Its payloads are JSON that holds JSON in base64."""
    tokens = [KEY[:7], KEY[7:12], KEY[12:18], KEY[18:]]
    told = [json.dumps({"type": "???>>>", "delta": {"text": token}}) for token in tokens]
    payloads = [json.dumps({"bytes": base64(one)}).encode() for one in told]
    headers = [(b":event-type", 7, aws_string(b"chunk"))]
    content = b"".join(aws_message(headers, payload) for payload in payloads)
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: e\r\n\r\n")
    kind = b"application/vnd.amazon.eventstream"
    talk.server(
        b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(content))
    )
    talk.server(*(content[at : at + 50] for at in range(0, len(content), 50)))
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    shown = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    redactor = Redactor("all")
    records = map(redactor.redact, decoded(talk.tape.packets))
    shown += "".join(one.data or "" for one in records if isinstance(one, AwsEventRecord)).encode()
    for token, payload in zip(tokens, told, strict=True):
        at = payload.index(token)
        run = base64(payload)
        assert run[-(-at // 3) * 4 : (at + len(token)) // 3 * 4].encode() not in shown
