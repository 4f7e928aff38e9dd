"""Field sections by pylsqpack, and what it is not asked to decode."""

from __future__ import annotations

import pylsqpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.quic import literal

from parsers.http2.hpack import Field
from parsers.http3.qpack import QpackError, SectionDecoder, count_lines
from parsers.limits import MAX_HEADER_FIELDS, MAX_QPACK_TABLE

FIELDS = [(b":status", b"200"), (b"x-model", b"small"), (b"x-model", b"small")]


def test_fields_in_the_clear() -> None:
    section = b"\0\0" + literal(b"a", b"b") + literal(b"a-long-name", b"")
    assert SectionDecoder().decode(0, section) == [Field(b"a", b"b"), Field(b"a-long-name", b"")]
    assert count_lines(section) == 2


def encoded() -> tuple[SectionDecoder, list[bytes], list[bytes]]:
    """An encoder with a table, its instructions, and the sections that refer to them."""
    encoder = pylsqpack.Encoder()
    instructions = [encoder.apply_settings(4096, 16)]
    sections: list[bytes] = []
    for stream_id in range(0, 16, 4):
        control, section = encoder.encode(stream_id, FIELDS)
        instructions.append(control)
        sections.append(section)
    decoder = SectionDecoder()
    decoder.allow(4096)
    return decoder, instructions, sections


def test_sections_that_refer_to_the_table() -> None:
    decoder, instructions, sections = encoded()
    for instruction in instructions:
        assert decoder.feed_encoder(instruction) == []
    for index, section in enumerate(sections):
        assert decoder.decode(4 * index, section) == [Field(*one) for one in FIELDS]
        assert count_lines(section) == 3
    assert sections[-1][0], "it refers to the table"


def test_a_section_that_comes_before_its_instructions() -> None:
    decoder, instructions, sections = encoded()
    assert decoder.decode(12, sections[3]) == "blocked"
    assert [one for part in instructions for one in decoder.feed_encoder(part)][-1:] == [12]
    assert decoder.resume(12) == [Field(*one) for one in FIELDS]
    assert decoder.decode(4, sections[3]) == [Field(*one) for one in FIELDS]


def test_a_section_that_is_cancelled() -> None:
    decoder, instructions, sections = encoded()
    assert decoder.decode(12, sections[3]) == "blocked"
    decoder.cancel(12)
    decoder.cancel(16)
    assert decoder.decode(12, sections[3]) == "blocked"
    with pytest.raises(QpackError):
        decoder.resume(99)
    assert instructions


def test_a_table_that_is_not_known() -> None:
    decoder, _, sections = encoded()
    with pytest.raises(QpackError, match="malformed"):
        decoder.feed_encoder(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
    assert decoder.is_broken
    assert decoder.feed_encoder(b"anything") == []
    with pytest.raises(QpackError, match="not known"):
        decoder.decode(12, sections[3])
    assert decoder.decode(0, b"\0\0\xd1") == [Field(b":method", b"GET")], "of the static table"


def test_before_settings_no_instruction_is_wrong() -> None:
    """Those that allow a larger table may be missing."""
    decoder = SectionDecoder()
    assert decoder.feed_encoder(b"\x3f\xe1\x1f") == []
    assert decoder.is_broken


def test_a_name_that_is_after_the_base() -> None:
    assert count_lines(b"\0\0\x00\x01a\x10\x07\x00\x00") == 3


def test_a_table_that_is_too_large() -> None:
    decoder = SectionDecoder()
    decoder.allow(MAX_QPACK_TABLE + 1)
    assert decoder.is_broken


@pytest.mark.parametrize(
    "section",
    [b"", b"\0", b"\0\0\x27", b"\0\0\x21", b"\0\0\x50", b"\0\0\xff" + b"\xff" * 12, b"\0\0\x80"],
)
def test_sections_that_are_malformed(section: bytes) -> None:
    with pytest.raises(QpackError):
        SectionDecoder().decode(0, section)


def test_a_bomb_is_not_decoded() -> None:
    decoder = SectionDecoder()
    decoder.allow(MAX_QPACK_TABLE)
    with pytest.raises(QpackError, match="2,000 fields in 2,002 bytes"):
        decoder.decode(0, b"\0\0" + b"\xd1" * 2000)
    with pytest.raises(QpackError, match="fields in"):
        SectionDecoder().decode(0, b"\0\0" + b"\xd1" * (MAX_HEADER_FIELDS + 1))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes(instructions: bytes, section: bytes) -> None:
    decoder = SectionDecoder()
    decoder.allow(256)
    for feed in (lambda: decoder.feed_encoder(instructions), lambda: decoder.decode(0, section)):
        try:
            feed()
        except QpackError as error:
            assert str(error)
