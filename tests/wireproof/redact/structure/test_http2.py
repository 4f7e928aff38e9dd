"""Fields of HTTP/2 whose text cannot be replaced sign by sign."""

from __future__ import annotations

from contextlib import closing

from support.http2 import EVENTS, GET, Http2Talk, data
from support.talk import Tape

from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import StructureMasks


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
