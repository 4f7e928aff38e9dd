"""Content codings: early, in bounds, and with every fault named."""

from __future__ import annotations

import gzip
import os
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cuts import at, byte_by_byte, whole

from parsers.codings import brotli_coder
from parsers.codings.brotli_coder import (
    BrotliCoder,
    UnboundedBrotliCoder,
    bounds_output,
    brotli_window,
)
from parsers.codings.coder import INPUT_STEP
from parsers.content import CODERS, ContentDecoder
from parsers.limits import (
    CODER_COST,
    MAX_CODINGS,
    MAX_DECODED_FREE,
    MAX_DECODED_RATIO,
    MAX_DECODED_STEP,
    MAX_GZIP_MEMBERS,
    MAX_ZSTD_WINDOW,
)
from parsers.memory import Memory


def raw_deflate(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


CODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "identity": bytes,
}
CODINGS = [coding for coding in CODE if coding != "identity"]
TEXT = b"".join(b"data: %d\n\n" % number for number in range(500))


def decode(codings, data, split=whole):
    """Return what was decoded and the codes of the faults."""
    decoder = ContentDecoder(codings)
    pieces = [piece for part in split(data) for piece in decoder.receive_data(part)]
    decoder.finish()
    assert all(len(piece) <= MAX_DECODED_STEP for piece in pieces)
    return b"".join(pieces), [code for code, _ in decoder.take_faults()]


@pytest.mark.parametrize("split", [whole, byte_by_byte, at([1, 2, 10, 11])])
@pytest.mark.parametrize("coding", CODE)
@pytest.mark.parametrize("data", [b"", b"x", TEXT], ids=["empty", "one byte", "text"])
def test_each_coding(coding, data, split):
    assert decode([coding], CODE[coding](data), split) == (data, [])


@pytest.mark.parametrize("coding", CODE)
def test_no_content_is_no_fault(coding):
    assert decode([coding], b"") == (b"", [])


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_codings_are_undone_in_their_order(split):
    data = TEXT
    for coding in ("zstd", "br", "gzip"):
        data = CODE[coding](data)
    assert decode(["gzip", "br", "zstd"], data, split) == (TEXT, [])


def test_long_content_without_coding_is_cut_into_pieces():
    data = bytes(MAX_DECODED_STEP + 1)
    assert [len(piece) for piece in ContentDecoder([]).receive_data(data)] == [MAX_DECODED_STEP, 1]


# --- what a flush completed comes at once ---


def flushing(coding: str) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """Return a function that codes an event and flushes, and one that ends the content."""
    if coding == "br":
        brotli_coder = brotli.Compressor()
        return (
            lambda data: brotli_coder.process(data) + brotli_coder.flush(),
            brotli_coder.finish,
        )
    if coding == "zstd":
        zstd_coder = zstandard.ZstdCompressor(write_checksum=True).compressobj()
        block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return (
            lambda data: zstd_coder.compress(data) + zstd_coder.flush(block),
            zstd_coder.flush,
        )
    coder = zlib.compressobj(wbits=15 if coding == "deflate" else 31)
    return lambda data: coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH), coder.flush


@pytest.mark.parametrize("coding", CODINGS)
def test_an_event_comes_with_the_bytes_that_completed_it(coding):
    code, end = flushing(coding)
    decoder = ContentDecoder([coding])
    for number in range(50):
        event = b"data: %d\n\n" % number
        assert b"".join(decoder.receive_data(code(event))) == event
    assert b"".join(decoder.receive_data(end())) == b""
    decoder.finish()
    assert decoder.faults == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_output_of_a_full_step_leaves_nothing_behind(coding):
    for size in (
        MAX_DECODED_STEP - 1,
        MAX_DECODED_STEP,
        MAX_DECODED_STEP + 1,
        3 * MAX_DECODED_STEP,
    ):
        code, _ = flushing(coding)
        decoder = ContentDecoder([coding])
        assert len(b"".join(decoder.receive_data(code(bytes(size))))) == size


# --- more than one frame or member ---


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_gzip_members_and_zstd_frames_follow_one_another(split):
    members = gzip.compress(b"a") + gzip.compress(b"b") + gzip.compress(b"c")
    assert decode(["gzip"], members, split) == (b"abc", ["content-coding-members"])
    skippable = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz\x50\x2a\x4d\x18\x00\x00\x00\x00"
    frames = zstandard.compress(b"a") + skippable + zstandard.compress(b"b")
    assert decode(["zstd"], frames, split) == (b"ab", [])
    assert decode(["zstd"], skippable, split) == (b"", [])


def test_zstd_frame_headers():
    for data in (bytes(10), os.urandom(300), os.urandom(70_000), bytes(70_000)):
        for options in (
            {"write_content_size": False},
            {"write_checksum": True},
            {"write_checksum": True, "level": 19},
        ):
            coded = zstandard.ZstdCompressor(**options).compress(data)
            assert decode(["zstd"], coded, at(range(0, len(coded), 3))) == (data, [])


# --- faults ---


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize("coding", CODINGS)
def test_content_that_is_cut(coding, split):
    coded = CODE[coding](TEXT)
    found, codes = decode([coding], coded[:-1], split)
    assert TEXT.startswith(found)
    assert codes == ["content-coding-cut"]
    assert decode([coding], coded[:1], split) == (b"", ["content-coding-cut"])


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize("coding", CODINGS)
def test_content_that_is_damaged(coding, split):
    assert decode([coding], b"\xff\xfe\xfd\xfc" * 9, split)[1][-1:] == ["content-coding-damaged"]
    coded = bytearray(CODE[coding](TEXT))
    coded[len(coded) // 2 :] = b"\xff" * (len(coded) // 2)
    # To DEFLATE the rest may look like the beginning of more.
    (code,) = decode([coding], bytes(coded), split)[1]
    assert code in ("content-coding-damaged", "content-coding-cut")


@pytest.mark.parametrize("split", [whole, byte_by_byte])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "zstd"])
def test_bytes_after_the_end(coding, split):
    assert decode([coding], CODE[coding](b"ab") + b"\0\0\0\0", split) == (
        b"ab",
        ["content-coding-trailing"],
    )


def test_bytes_after_the_end_of_brotli():
    coded = brotli.compress(b"ab")
    assert decode(["br"], coded + b"junk", at([len(coded)])) == (b"ab", ["content-coding-trailing"])
    # In one piece the library only says that it failed; it is not fed so before 1.2.
    (fault,) = decode(["br"], coded + b"junk")[1]
    is_fed_at_once = CODERS["br"] is BrotliCoder
    assert fault == ("content-coding-damaged" if is_fed_at_once else "content-coding-trailing")


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_deflate_without_its_wrapper(split):
    assert decode(["deflate"], raw_deflate(TEXT), split) == (TEXT, ["content-coding-deflate-raw"])


@pytest.mark.parametrize(
    ("codings", "kept"), [(["pigeons"], 0), (["gzip", "pigeons", "br"], 1), (["compress"], 0)]
)
def test_a_coding_that_is_not_known_ends_the_chain(codings, kept):
    data = b"ab"
    for coding in codings[:kept]:
        data = CODE[coding](data)
    assert decode(codings, data) == (b"ab", ["content-coding-unknown"])


def test_codings_have_a_limit():
    data = b"ab"
    for _ in range(MAX_CODINGS):
        data = gzip.compress(data)
    assert decode(["gzip"] * (MAX_CODINGS + 1), data) == (b"ab", ["content-coding-limit"])


def test_a_fault_is_named_once():
    decoder = ContentDecoder(["gzip"])
    for _ in range(3):
        assert list(decoder.receive_data(b"no gzip")) == []
    decoder.finish()
    ((code, detail),) = decoder.take_faults()
    assert code == "content-coding-damaged"
    assert detail.startswith("gzip: ")
    assert decoder.take_faults() == []


def test_a_reserved_zstd_block_is_damage():
    frame = b"\x28\xb5\x2f\xfd\x20\x01" + (1 | 3 << 1).to_bytes(3, "little")
    assert decode(["zstd"], frame)[1] == ["content-coding-damaged"]


def test_an_empty_zstd_block_in_the_middle():
    frame = b"\x28\xb5\x2f\xfd\x20\x01" + bytes(3) + b"\x09\0\0x"
    assert decode(["zstd"], frame) == (b"x", [])


# --- brotli before 1.2, which does not bound its output ---


@pytest.fixture
def old_brotli(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feed the library as one that takes no limit; a new one without a limit gives the same."""
    monkeypatch.setitem(CODERS, "br", UnboundedBrotliCoder)


@pytest.mark.parametrize("split", [whole, byte_by_byte, at([1, 2, 10, 11])])
@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(MAX_DECODED_STEP + 1)], ids=len)
def test_old_brotli_gives_the_same(data, split, old_brotli):
    assert decode(["br"], brotli.compress(data), split) == (data, [])


def test_old_brotli_gives_an_event_with_the_bytes_that_completed_it(old_brotli):
    test_an_event_comes_with_the_bytes_that_completed_it("br")


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_old_brotli_tells_what_is_wrong(split, old_brotli):
    coded = brotli.compress(TEXT)
    assert decode(["br"], coded + b"junk", split) == (TEXT, ["content-coding-trailing"])
    assert decode(["br"], coded[:-1], split)[1] == ["content-coding-cut"]
    assert decode(["br"], b"\xff" * 9, split)[1] == ["content-coding-damaged"]


def test_a_bomb_for_old_brotli_is_cut_at_the_limit(old_brotli):
    test_a_bomb_is_cut_at_the_limit(["br"])


# --- bombs ---


def bomb(coding: str, size: int) -> bytes:
    zeros = bytes(1 << 20)
    if coding == "br":
        coder = brotli.Compressor(quality=5)
        return b"".join(coder.process(zeros) for _ in range(size >> 20)) + coder.finish()
    if coding == "zstd":
        zstd_coder = zstandard.ZstdCompressor().compressobj()
        return b"".join(zstd_coder.compress(zeros) for _ in range(size >> 20)) + zstd_coder.flush()
    zlib_coder = zlib.compressobj(wbits=31)
    return b"".join(zlib_coder.compress(zeros) for _ in range(size >> 20)) + zlib_coder.flush()


@pytest.mark.parametrize("codings", [["br"], ["zstd"], ["gzip"], ["gzip", "gzip"]], ids=str)
def test_a_bomb_is_cut_at_the_limit(codings):
    coded = bomb(codings[-1], 256 << 20)
    for coding in codings[:-1]:
        coded = CODE[coding](coded)
    decoder = ContentDecoder(codings)
    sizes = [len(piece) for piece in decoder.receive_data(coded)]
    assert max(sizes) <= MAX_DECODED_STEP
    assert sum(sizes) <= MAX_DECODED_FREE + MAX_DECODED_RATIO * len(coded)
    assert [code for code, _ in decoder.take_faults()] == ["content-coding-limit"]
    assert list(decoder.receive_data(b"more")) == []
    decoder.finish()
    assert decoder.faults == []


def test_much_content_at_once_comes_in_bounded_pieces():
    coded = gzip.compress(bytes(range(256)) * 64 + bytes(100_000))
    sizes = [len(piece) for piece in ContentDecoder(["gzip"]).receive_data(coded)]
    assert sum(sizes) == 256 * 64 + 100_000
    assert max(sizes) <= MAX_DECODED_STEP
    large = gzip.compress(random.Random(1).randbytes(1 << 20).hex().encode())
    pieces = [len(piece) for piece in ContentDecoder(["gzip"]).receive_data(large)]
    assert sum(pieces) == 2 << 20
    assert max(pieces) <= MAX_DECODED_STEP


def test_gzip_members_have_a_limit():
    found, codes = decode(["gzip"], gzip.compress(b"x") * (10 * MAX_GZIP_MEMBERS))
    assert len(found) == MAX_GZIP_MEMBERS
    assert codes == ["content-coding-members", "content-coding-limit"]


def test_a_zstd_window_has_a_limit():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    coder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert decode(["zstd"], coder.compress(b"x") + coder.flush()) == (
        b"",
        ["content-coding-limit"],
    )
    # A single segment is its own window (RFC 8878 section 3.1.1.1.2).
    single = b"\x28\xb5\x2f\xfd\xa0" + (MAX_ZSTD_WINDOW + 1).to_bytes(4, "little")
    assert decode(["zstd"], single)[1] == ["content-coding-limit"]


# --- properties ---


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.binary(max_size=200), max_size=5),
    st.lists(st.sampled_from(CODINGS), max_size=3),
    st.sets(st.integers(0, 600)),
)
def test_any_cut_decodes_to_the_same(pieces, codings, cuts):
    data = b"".join(pieces)
    coded = data
    for coding in reversed(codings):
        coded = CODE[coding](coded)
    assert decode(codings, coded, at(cuts)) == (data, [])


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(CODINGS), st.binary(max_size=60), st.integers(0, 40), st.binary(max_size=9))
def test_damage_never_raises(coding, data, place, junk):
    coded = CODE[coding](data)
    damaged = coded[:place] + junk + coded[place + len(junk) :]
    found, codes = decode([coding], damaged, byte_by_byte)
    if not codes:
        # What no coder noticed is whole: a chance of the checksums, or no damage at all.
        assert decode([coding], damaged) == (found, [])


def test_a_step_of_input_is_small():
    assert INPUT_STEP * 64 <= MAX_DECODED_FREE


def test_an_owner_that_takes_no_more():
    decoder = ContentDecoder(["gzip", "br"])
    data = gzip.compress(brotli.compress(TEXT))
    taken = [piece for byte in data[:-8] for piece in decoder.receive_data(bytes([byte]))]
    decoder.stop("9 events")
    assert list(decoder.receive_data(data[-8:])) == []
    decoder.finish()
    assert decoder.take_faults() == [("content-coding-limit", "br: 9 events")]
    assert TEXT.startswith(b"".join(taken))


def damaged(coding: str, size: int, place: float, bit: int) -> bytes:
    """A coded text with one bit turned over."""
    noise = random.Random(size).randbytes(size // 3).hex().encode()
    coded = bytearray(CODE[coding](b"data: " + noise + TEXT))
    coded[int(place * (len(coded) - 1))] ^= 1 << bit
    return bytes(coded)


@pytest.mark.parametrize("coding", CODINGS)
@settings(max_examples=15, deadline=None)
@given(
    size=st.sampled_from([10, 3_000, 220_000]),
    place=st.floats(0, 1),
    bit=st.integers(0, 7),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_what_lies_before_damage_does_not_depend_on_cuts(coding, size, place, bit, cuts):
    data = damaged(coding, size, place, bit)
    places = sorted({int(cut * len(data)) for cut in cuts} - {0, len(data)})
    content_of_cut, _ = decode([coding], data, at(places) if places else whole)
    assert content_of_cut == decode([coding], data)[0]


@pytest.mark.parametrize("codings", [["gzip"], ["br"], ["gzip", "br"], ["br", "gzip"]])
def test_damage_byte_by_byte(codings):
    data = TEXT
    for coding in reversed(codings):
        data = CODE[coding](data)
    data = data[:60] + bytes([data[60] ^ 0x55]) + data[61:]
    assert decode(codings, data, byte_by_byte)[0] == decode(codings, data)[0]


def test_a_window_is_what_the_first_byte_of_br_declares():
    for bits in range(10, 25):
        first = brotli.compress(TEXT * 2_000, lgwin=bits, quality=4)[0]
        assert brotli_window(first) == 1 << bits


@pytest.mark.parametrize(("coding", "damage"), [("br", b"\x0e"), ("gzip", b"\x06")])
@pytest.mark.parametrize("split", [whole, at(range(0, 200_000, 5_000))])
def test_damage_after_much_content(coding, damage, split):
    """A block of a reserved kind: all before it is given, and little of it decoded again."""
    text = random.Random(1).randbytes(100_000)
    compress, _ = flushing(coding)
    coded = compress(text)
    assert decode([coding], coded + damage + bytes(9), split) == (text, ["content-coding-damaged"])


@pytest.mark.parametrize("coding", CODINGS)
def test_what_a_coder_is_reckoned_to_hold(coding):
    decoder = ContentDecoder([coding])
    assert decoder.held == CODER_COST
    coded = CODE[coding](random.Random(1).randbytes(200_000))
    for _ in decoder.receive_data(coded[: len(coded) // 2]):
        pass
    assert decoder.held >= CODER_COST
    assert (decoder.held > CODER_COST + 50_000) is (coding in ("br", "zstd"))
    assert ContentDecoder([coding, coding]).held == 2 * CODER_COST


def test_once_all_together_unfolds_too_much_no_wide_window_is_begun():
    """Of br, which fills it before it gives anything."""
    wide, narrow = (brotli.compress(TEXT, lgwin=bits) for bits in (24, 16))
    for coded, has_stopped in ((wide, True), (narrow, False)):
        memory = Memory()
        memory.unfolded = 1 << 40
        decoder = ContentDecoder(["br"], memory)
        found = b"".join(decoder.receive_data(coded))
        decoder.finish()
        limit = ("content-coding-limit", f"br: {memory.unfolded_text}")
        assert (limit in decoder.take_faults()) is has_stopped
        assert found == b"" if has_stopped else True


def test_whether_the_library_bounds_its_output(monkeypatch):
    assert bounds_output()

    class Old:
        def process(self, data: bytes) -> bytes:
            return data

    monkeypatch.setattr(brotli_coder.brotli, "Decompressor", Old)
    assert not bounds_output()


def test_who_has_stopped_says_nothing_more_at_the_end():
    decoder = ContentDecoder(["gzip", "br"])
    decoder.stop("enough")
    decoder.finish()
    assert [code for code, _ in decoder.take_faults()] == ["content-coding-limit"]
