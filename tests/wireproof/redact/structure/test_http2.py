"""Fields of HTTP/2 whose text cannot be replaced sign by sign."""

from __future__ import annotations

from contextlib import closing

from support.http2 import GET, Http2Talk

from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import StructureMasks


def test_fields_in_huffmans_code_keep_their_size() -> None:
    """No sign of the text stays where it was, not even by chance."""
    key = "AQIDBAUGBwgJCgsMDQ4PEA=="
    fields = [*GET, ("x-secret-name", "secret, secret"), ("sec-websocket-key", key)]
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, fields, ends=True))
    talk.talk.close()
    tape = talk.talk.tape
    with closing(StructureMasks(Rules("structure"))) as masks:
        masks.add(tape.packets)
        masks.end()
        tape.packets = [(*packet[:4], masks.masked(packet)) for packet in tape.packets]
    (found,) = [one for one in tape.records() if one.record == "request"]
    (name, value), (_, answer) = found.headers[-2:]
    assert name == name.lower() and "secret" not in name + value
    assert (len(name), len(value)) == (len("x-secret-name"), len("secret, secret"))
    assert len(answer) == len(key) and answer != key
