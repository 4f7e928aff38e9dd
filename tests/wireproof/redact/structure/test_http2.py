"""Fields of HTTP/2 whose text cannot be replaced sign by sign."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.http2 import EVENTS, GET, Http2Talk, data, framed
from support.talk import Tape

from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import StructureMasks
from wireproof.redact.structure.http2 import masked_header, masked_settings


def mask(tape: Tape) -> None:
    with closing(StructureMasks(Rules("structure"))) as masks:
        masks.add(tape.packets)
        masks.end()
        tape.packets = [(*packet[:4], masks.masked(packet)) for packet in tape.packets]


def test_fields_in_huffmans_code_keep_their_size() -> None:
    """No sign of the text stays where it was, not even by chance."""
    key = "AQIDBAUGBwgJCgsMDQ4PEA=="
    fields = [*GET, ("x-secret-name", "secret, secret"), ("sec-websocket-key", key)]
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, fields, ends=True))
    talk.talk.close()
    tape = talk.talk.tape
    mask(tape)
    (found,) = [one for one in tape.records() if one.record == "request"]
    (name, value), (_, answer) = found.headers[-2:]
    assert name == name.lower() and "secret" not in name + value
    assert (len(name), len(value)) == (len("x-secret-name"), len("secret, secret"))
    assert len(answer) == len(key) and answer != key


def test_text_in_the_place_of_a_frames_header() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say(
        "server", talk.server.head(1, EVENTS), data(1, b"data: a\n\n"), b"NOTAFRAME" + b"x" * 40
    )
    talk.talk.close()
    tape = talk.talk.tape
    before = [packet[4] for packet in tape.packets]
    mask(tape)
    after = b"".join(packet[4] for packet in tape.packets)
    assert b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" in after
    assert not any(b"NOTAFRAME"[at : at + 4] in after for at in range(6))
    assert before[3][54:] == tape.packets[3][4][54:]  # the preface and the settings


OUT_OF_STEP = {
    "kana": "\u65e5\u672c\u8a9e\u306e\u79d8\u5bc6\u306e\u6587\u7ae0\u3067\u3059".encode(),
    "umlauts in one byte each": "\xc4\xd6\xdc\xdf\xe4\xf6\xfc\xdf\xe9\xe8\xea\xe0".encode("latin-1")
    * 3,
    "UTF-16": "\u0416\u0434\u0416\u0435\u0442\u0438".encode("utf-16-be") * 3,
    "letters and others": "gr\xfc\xdfe k\xf6ln stra\xdfe m\xfcnchen".encode(),
}


@pytest.mark.parametrize("begin", range(10))
@pytest.mark.parametrize("name", OUT_OF_STEP)
def test_other_alphabets_where_no_frame_is(name: str, begin: int) -> None:
    """A stream may lose its step in the middle, or be captured from the middle on."""
    text = OUT_OF_STEP[name]
    for is_midstream in (False, True):
        talk = Http2Talk()
        if is_midstream:
            talk.talk.midstream()
        else:
            talk.begin()
        talk.say("client", talk.client.head(1, GET, ends=True))
        talk.say("server", talk.server.head(1, EVENTS), data(1, b"data: a\n\n"))
        talk.say("server", bytes(begin) + text * 3, data(1, text), framed(4, 0, 0, text[:12]))
        talk.say("server", framed(8, 0, 0, text[:4]), framed(7, 0, 0, text), framed(11, 255, 0))
        talk.talk.close()
        tape = talk.talk.tape
        mask(tape)
        after = b"".join(packet[4][54:] for packet in tape.packets)
        left = {text[at : at + 4] for at in range(len(text) - 3) if text[at : at + 4] in after}
        assert left == set()


@pytest.mark.parametrize(
    "header, masked",
    [
        ("000023 01 25 00000003", "000023 01 25 00000003"),
        ("ffffff 00 09 00ffffff", "ffffff 00 09 00ffffff"),
        ("000004 08 ff 00000000", "000004 08 00 00000000"),
        ("000100 4a ff 00000001", "000100 4a 00 00000001"),
        ("010001 4a ff 00000001", "2a2a2a 2a 2a 2a2a2a2a"),
        ("000006 04 00 00000001", "2a2a2a 2a 2a 2a2a2a2a"),
        ("000006 01 04 01000001", "2a2a2a 2a 2a 2a2a2a2a"),
        ("000004 08 00 e697a5e6", "2a2a2a 2a 2a 2a2a2a2a"),
        *(("000023012500000003"[: 2 * size], "2a" * size) for size in range(9)),
    ],
)
def test_the_header_of_a_frame(header: str, masked: str) -> None:
    assert masked_header(bytes.fromhex(header)) == bytes.fromhex(masked)


@pytest.mark.parametrize(
    "entries, masked",
    [
        ("0003 00000064 0004 7fffffff", "0003 00000064 0004 7fffffff"),
        ("0006 73656372", "0006 00000000"),
        ("0a0a 12345678", "0a0a 00000000"),
        ("7365 63726574", "0000 00000000"),
        ("0003 00000064 7365", "0003 00000064 2a2a"),
    ],
)
def test_settings(entries: str, masked: str) -> None:
    assert masked_settings(bytes.fromhex(entries)) == bytes.fromhex(masked)
