"""Inflating messages: the examples of RFC 7692, windows, final blocks, limits and damage."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.websocket_frames import Compressor, deflated

from parsers.memory import Memory
from parsers.websocket import deflate as permessage_deflate
from parsers.websocket.deflate import DeflateParameters, Inflater


def inflate(inflater: Inflater, payload: bytes, step: int = 1 << 20) -> bytes:
    """Return a message, its payload given in parts of ``step`` bytes."""
    inflater.begin()
    found = [
        data
        for start in range(0, len(payload), step)
        for data in inflater.inflate(payload[start : start + step])
    ]
    found += inflater.finish()
    return b"".join(found)


def codes(inflater: Inflater) -> list[str]:
    found = [code for code, _ in inflater.faults]
    inflater.faults.clear()
    return found


# Payloads of RFC 7692 section 7.2.3, and what follows from its rules.
EXAMPLES: list[tuple[str, list[str], list[bytes]]] = [
    ("one block", ["f248cdc9c90700"], [b"Hello"]),
    ("sharing the window", ["f248cdc9c90700", "f200110000"], [b"Hello", b"Hello"]),
    ("no compression", ["000500faff48656c6c6f00"], [b"Hello"]),
    ("BFINAL set", ["f348cdc9c9070000"], [b"Hello"]),
    ("two blocks", ["f24805000000ffffcac9c90700"], [b"Hello"]),
    ("empty", ["00"], [b""]),
    ("the window goes on after BFINAL", ["f348cdc9c9070000", "f200110000"], [b"Hello", b"Hello"]),
    ("BFINAL in the middle", ["f348cdc9c907" + "00" + "f200110000"], [b"HelloHello"]),
]


@pytest.mark.parametrize(("name", "payloads", "expected"), EXAMPLES)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_examples(name: str, payloads: list[str], expected: list[bytes], step: int) -> None:
    inflater = Inflater()
    assert [inflate(inflater, bytes.fromhex(payload), step) for payload in payloads] == expected
    assert codes(inflater) == []


@pytest.mark.parametrize(
    "payload",
    [
        "ffffffffff",  # a reserved block type
        "07",
        "f200110000",  # a reference before the first byte
        "",  # not even the empty block
        "f248cdc9c907",  # the sender has cut off too much
        "f248cd",
        "f348cdc9c90700",  # BFINAL without the empty block after it
        "000500faff4865",
    ],
)
def test_damage_ends_with_its_message(payload: str) -> None:
    inflater = Inflater()
    inflate(inflater, bytes.fromhex(payload))
    assert inflater.is_stopped
    assert codes(inflater) == ["websocket-deflate-damaged"]
    assert inflate(inflater, deflated(b"the next")) == b"the next"
    assert codes(inflater) == []


def test_after_damage_no_reference_to_the_lost_window_is_believed() -> None:
    compress = Compressor()
    first, second, third = (compress(b"the same words again") for _ in range(3))
    inflater = Inflater()
    inflate(inflater, first[:-2] + b"\xff" + first[-1:])
    assert codes(inflater) == ["websocket-deflate-damaged"]
    inflate(inflater, second)
    assert codes(inflater) == ["websocket-deflate-damaged"]
    assert inflate(inflater, third) != b"the same words again"
    assert codes(inflater) == ["websocket-deflate-damaged"]


def test_what_came_before_the_damage_is_given() -> None:
    noise = random.Random(1).randbytes(20_000)
    payload = deflated(noise)
    inflater = Inflater()
    assert inflate(inflater, payload[:10_000] + b"\xff" * 10_000).startswith(noise[:4_000])
    assert codes(inflater) == ["websocket-deflate-damaged"]


def test_an_abandoned_message_takes_its_window_along() -> None:
    compress = Compressor()
    inflater = Inflater()
    inflater.begin()
    assert b"".join(inflater.inflate(compress(b"Hello, hello")[:-1]))
    inflater.abandon()
    assert list(inflater.inflate(b"\x00")) == []
    assert list(inflater.finish()) == []
    assert inflate(inflater, deflated(b"Hello again")) == b"Hello again"
    assert codes(inflater) == []


# --- context takeover and window bits ---


def test_without_context_takeover_each_message_stands_alone() -> None:
    inflater = Inflater(no_context_takeover=True)
    assert inflate(inflater, bytes.fromhex("f248cdc9c90700")) == b"Hello"
    inflate(inflater, bytes.fromhex("f200110000"))
    assert codes(inflater) == ["websocket-deflate-damaged"]
    assert inflate(inflater, bytes.fromhex("f248cdc9c90700")) == b"Hello"


def test_parameters_name_the_sender_s() -> None:
    parameters = DeflateParameters(server_no_context_takeover=True, client_max_window_bits=9)
    far = random.Random(2).randbytes(2_000)
    client, server = parameters.inflater("client"), parameters.inflater("server")
    for inflater, expected in (
        (client, "websocket-window-exceeded"),
        (server, "websocket-deflate-damaged"),
    ):
        compress = Compressor()
        assert inflate(inflater, compress(far)) == far
        inflate(inflater, compress(far))
        assert codes(inflater) == [expected]


@pytest.mark.parametrize("bits", range(9, 16))
def test_a_sender_that_keeps_its_word(bits: int) -> None:
    """What zlib makes with a window inflates with that window."""
    words = random.Random(bits)
    compress = Compressor(bits)
    inflater = Inflater(bits)
    for _ in range(30):
        message = b" ".join(words.choice([b"alpha", b"beta", b"gamma"]) for _ in range(300))
        assert inflate(inflater, compress(message), 700) == message
    assert codes(inflater) == []


@pytest.mark.parametrize("bits", range(8, 15))
def test_a_sender_that_breaks_its_word_is_read_and_reported_once(bits: int) -> None:
    block = random.Random(bits).randbytes(min(1 << (bits + 1), 32_000))
    compress = Compressor(15)
    inflater = Inflater(bits)
    for _ in range(3):
        assert inflate(inflater, compress(block)) == block
    assert codes(inflater) == ["websocket-window-exceeded"]


def test_the_witness_forgets_with_the_window() -> None:
    inflater = Inflater(9)
    compress = Compressor(9)
    assert inflate(inflater, compress(b"Hello")) == b"Hello"
    inflate(inflater, b"\xff")
    assert inflate(inflater, deflated(b"Hello")) == b"Hello"
    assert codes(inflater) == ["websocket-deflate-damaged"]


# --- limits ---


def test_a_bomb_is_cut() -> None:
    stream = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(64)) + stream.flush()
    inflater = Inflater()
    inflater.begin()
    sizes = [len(data) for data in inflater.inflate(bomb)]
    assert max(sizes) <= permessage_deflate.MAX_DECODED_STEP
    assert sum(sizes) <= permessage_deflate.MAX_INFLATED_FREE
    assert codes(inflater) == ["websocket-deflate-limit"]
    assert inflate(inflater, deflated(b"next")) == b"next"


def test_a_megabyte_of_zeros_is_no_bomb() -> None:
    inflater = Inflater()
    assert inflate(inflater, deflated(bytes(1 << 20))) == bytes(1 << 20)
    assert codes(inflater) == []


def test_a_message_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permessage_deflate, "MAX_MESSAGE", 1000)
    inflater = Inflater()
    assert inflate(inflater, deflated(b"x" * 1000)) == b"x" * 1000
    assert codes(inflater) == []
    inflate(inflater, deflated(b"x" * 1001))
    assert codes(inflater) == ["websocket-deflate-limit"]


def test_final_blocks_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permessage_deflate, "MAX_DEFLATE_STREAMS", 10)
    inflater = Inflater()
    assert inflate(inflater, b"\x03\x00" * 10 + b"\x00") == b""
    assert codes(inflater) == []
    inflate(inflater, b"\x03\x00" * 11 + b"\x00")
    assert codes(inflater) == ["websocket-deflate-limit"]
    assert inflate(inflater, b"\x03\x00" * 10 + b"\x00") == b""
    assert codes(inflater) == []


def test_output_that_fills_a_step_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permessage_deflate, "MAX_DECODED_STEP", 8)
    for size in (7, 8, 9, 16, 300):
        assert inflate(Inflater(), deflated(b"x" * size)) == b"x" * size


def test_the_history_does_not_grow() -> None:
    """A final block far into a stream still gets its window."""
    noise = random.Random(3).randbytes(100_000)
    stream = zlib.compressobj(wbits=-15)
    first = stream.compress(noise) + stream.flush(zlib.Z_FINISH) + b"\x00"
    again = zlib.compressobj(wbits=-15, zdict=noise[-32_768:])
    second = again.compress(noise[-1_000:]) + again.flush(zlib.Z_SYNC_FLUSH)
    inflater = Inflater()
    assert inflate(inflater, first) == noise
    assert len(second) < 50
    assert inflate(inflater, second[:-4]) == noise[-1_000:]
    assert codes(inflater) == []


# --- any messages, any damage ---

MESSAGES = st.lists(
    st.binary(max_size=300) | st.sampled_from([b"", b"Hello", b"ab" * 3_000]), max_size=6
)


@settings(deadline=None, max_examples=60)
@given(MESSAGES, st.integers(9, 15), st.integers(1, 5_000), st.booleans())
def test_what_was_sent_is_what_comes(
    messages: list[bytes], bits: int, step: int, no_context_takeover: bool
) -> None:
    inflater = Inflater(bits, no_context_takeover)
    compress = Compressor(bits)
    for message in messages:
        if no_context_takeover:
            compress = Compressor(bits)
        assert inflate(inflater, compress(message), step) == message
    assert codes(inflater) == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(8, 15), st.booleans())
def test_any_bytes_give_data_or_a_fault(
    payloads: list[bytes], bits: int, no_context_takeover: bool
) -> None:
    inflater = Inflater(bits, no_context_takeover)
    for payload in payloads:
        inflate(inflater, payload)
        assert inflater.is_stopped == ("websocket-deflate-damaged" in codes(inflater))


def test_all_bodies_and_messages_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    monkeypatch.setattr(Memory, "unfolds_too_much", property(lambda _: True))
    inflater = DeflateParameters().inflater("server", memory)
    inflate(inflater, deflated(b"Hello"))
    assert codes(inflater) == ["websocket-deflate-limit"]
    assert inflater.is_stopped
