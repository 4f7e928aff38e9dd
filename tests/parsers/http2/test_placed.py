"""Where frames say what: whole and byte by byte, with holes, and from the middle on."""

from __future__ import annotations

import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st
from support.http2 import SETTINGS as EMPTY
from support.http2 import data, framed

from parsers.http2 import huffman
from parsers.http2.elements import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    SETTINGS,
)
from parsers.http2.placed import (
    MASK_CHARACTERS,
    UNREADABLE,
    FieldText,
    Found,
    PlacedContent,
    PlacedFrames,
    Plain,
    Syntax,
    Unread,
    rewritten_field,
)
from parsers.records import Sender

FIRST = 1_000
"""Where the stream begins."""
LITERAL = b"\x40\x01a\x02bc"
"""A field a: bc that goes into the table (RFC 7541 section 6.2.1)."""
NEVER = b"\x10\x01k\x03xyz"
"""A field k: xyz that never does (section 6.2.3)."""
INDEXED = b"\xbe"
"""The newest entry of the table."""
OF_ENTRY = b"\x7e\x02de"
"""The newest entry's name with another value, de."""
CUT = b"\x40\x01a\x7f"
"""A field whose value's length has no end."""
CODED = b"\x40\x81\x1f\x82" + huffman.encode(b"bc")
"""A field a: bc in the Huffman code."""


def head(block: bytes, flags: int = END_HEADERS, stream: int = 1) -> bytes:
    return framed(HEADERS, flags, stream, block)


Said = tuple[object, ...]


def said(found: list[Found], stream: bytes) -> list[Said]:
    """What was found by the bytes that lie there, pieces of content joined."""

    def at(start: int, end: int) -> bytes:
        return stream[start - FIRST : end - FIRST]

    told: list[Said] = []
    for one in found:
        match one:
            case FieldText(name, text, is_value, is_coded, places):
                raw = b"".join(at(*place) for place in places)
                assert text == (huffman.decode(raw) if is_coded else raw)
                told.append((name, text if is_value else None, len(places)))
            case PlacedContent(stream_id, start, content):
                assert content == at(start, start + len(content))
                if told and told[-1][0] == "content" and told[-1][1] == stream_id:
                    content = told.pop()[2] + content  # type: ignore[operator]
                told.append(("content", stream_id, content))
            case Plain(start, content):
                assert content == at(start, start + len(content))
                told.append(("plain", content))
            case Unread(start, end):
                told.append(("unread", at(start, end)))
    return told


def read(
    stream: bytes, step: int = 0, sender: Sender = "server", lost: tuple[int, int] = (0, 0)
) -> list[Said]:
    """What is found in a stream that comes in pieces, [start, end) of it missing."""
    frames = PlacedFrames(FIRST, sender)
    found: list[Found] = []
    start, end = lost
    parts = [stream[:start], stream[end:]] if end else [stream]
    for number, part in enumerate(parts):
        if number:
            found += frames.receive_gap(end - start)
        size = step or len(part) or 1
        for pos in range(0, len(part), size):
            found += frames.receive_data(part[pos : pos + size])
            assert frames.open_offset <= FIRST + len(stream)
    return said(found + frames.end(), stream)


FIELD = [(b"a", None, 1), (b"a", b"bc", 1)]
PAD = b"pad"
CASES: dict[str, tuple[bytes, list[Said]]] = {
    "settings": (EMPTY, []),
    "a field": (EMPTY + head(LITERAL), FIELD),
    "a field in the Huffman code": (EMPTY + head(CODED), FIELD),
    "a field that is in no table": (
        EMPTY + head(NEVER),
        [(b"k", None, 1), (b"k", b"xyz", 1)],
    ),
    "an entry of the table is nowhere": (EMPTY + head(LITERAL) + head(INDEXED, stream=3), FIELD),
    "a value of an entry's name": (
        EMPTY + head(LITERAL) + head(OF_ENTRY, stream=3),
        [*FIELD, (b"a", b"de", 1)],
    ),
    "in two frames": (
        EMPTY + head(LITERAL[:5], 0) + framed(CONTINUATION, END_HEADERS, 1, LITERAL[5:]),
        [(b"a", None, 1), (b"a", b"bc", 2)],
    ),
    "in three frames, one of them empty": (
        EMPTY
        + head(LITERAL[:2], 0)
        + framed(CONTINUATION, 0, 1)
        + framed(CONTINUATION, END_HEADERS, 1, LITERAL[2:]),
        FIELD,
    ),
    "padding": (
        EMPTY + head(b"\x03" + LITERAL + PAD, END_HEADERS | PADDED),
        [("plain", PAD), *FIELD],
    ),
    "padding that says nothing": (
        EMPTY + head(b"\x03" + LITERAL + bytes(3), END_HEADERS | PADDED),
        FIELD,
    ),
    "padding and a priority": (
        EMPTY + head(b"\x03" + bytes(5) + LITERAL + PAD, END_HEADERS | PADDED | PRIORITY_FLAG),
        [("plain", PAD), *FIELD],
    ),
    "more padding than there is room": (
        EMPTY + head(b"\xff" + LITERAL, END_HEADERS | PADDED),
        [("plain", LITERAL), ("unread", b"\xff" + LITERAL)],
    ),
    "a promise": (
        EMPTY + framed(PUSH_PROMISE, END_HEADERS, 1, bytes.fromhex("00000002") + LITERAL),
        FIELD,
    ),
    "a block that cannot be read": (
        EMPTY + head(CUT) + head(LITERAL, stream=3),
        [("unread", CUT), *FIELD],
    ),
    "an entry of a table that is lost": (
        EMPTY + head(LITERAL) + head(CUT, stream=3) + head(OF_ENTRY, stream=5),
        [*FIELD, ("unread", CUT), (None, b"de", 1)],
    ),
    "a block that another frame ends": (
        EMPTY + head(LITERAL, 0) + framed(PING, 0, 0, b"12345678"),
        [("unread", LITERAL), ("plain", b"12345678")],
    ),
    "a block without an end": (EMPTY + head(LITERAL, 0), [("unread", LITERAL)]),
    "content": (EMPTY + data(1, b"hello"), [("content", 1, b"hello")]),
    "content of two streams": (
        EMPTY + data(1, b"a") + data(3, b"b") + data(1, b"c"),
        [("content", 1, b"a"), ("content", 3, b"b"), ("content", 1, b"c")],
    ),
    "content without a byte": (EMPTY + data(1, b""), []),
    "content and padding": (
        EMPTY + framed(DATA, PADDED, 1, b"\x03hello" + PAD),
        [("content", 1, b"hello"), ("plain", PAD)],
    ),
    "content and padding of zeros": (
        EMPTY + framed(DATA, PADDED, 1, b"\x03hello" + bytes(3)),
        [("content", 1, b"hello")],
    ),
    "content that is cut": (EMPTY + data(1, b"hello")[:-2], [("content", 1, b"hel")]),
    "the debug data of GOAWAY": (
        EMPTY + framed(GOAWAY, 0, 0, bytes(8) + b"why"),
        [("plain", bytes(8) + b"why")],
    ),
    "a frame that no one knows": (EMPTY + framed(0xEE, 0, 1, b"what"), [("plain", b"what")]),
    "a frame of the wrong size": (
        EMPTY + framed(PING, 0, 0, b"123") + data(1, b"x"),
        [("unread", framed(PING, 0, 0, b"123")), ("content", 1, b"x")],
    ),
    "a frame of the wrong size, and padding after it": (
        EMPTY + framed(PING, 0, 0, b"123") + framed(DATA, PADDED, 1, b"\x03hello" + PAD),
        [("unread", framed(PING, 0, 0, b"123")), ("content", 1, b"hello"), ("plain", PAD)],
    ),
    "a header that is cut": (EMPTY + head(LITERAL)[:5], [("unread", head(LITERAL)[:5])]),
    "fewer bytes than a header": (EMPTY[:4], [("unread", EMPTY[:4])]),
    "nothing": (b"", []),
    "no frames": (b"x" * 30, [("unread", b"x" * 30)]),
}


@pytest.mark.parametrize("step", [0, 1, 7], ids=["whole", "byte by byte", "by seven bytes"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_where(name: str, step: int) -> None:
    stream, expected = CASES[name]
    assert read(stream, step) == expected


@pytest.mark.parametrize("step", [0, 1])
def test_a_client_begins_with_its_preface(step: int) -> None:
    assert read(PREFACE + EMPTY + head(LITERAL), step, "client") == FIELD


@pytest.mark.parametrize(
    ("fields", "authority"),
    [
        ([(":authority", "a.example"), (":path", "/x")], b"a.example"),
        ([(":path", "/x"), ("host", "b.example")], b"b.example"),
        ([(":path", "/x"), (":authority", "")], b""),
    ],
)
def test_a_path_is_given_with_where_its_request_goes(
    fields: list[tuple[str, str]], authority: bytes
) -> None:
    frames = PlacedFrames(FIRST, "client")
    found = frames.receive_data(PREFACE + EMPTY + head(Encoder().encode(fields, huffman=False)))
    texts = [one for one in found if isinstance(one, FieldText) and one.is_value]
    paths = {one.authority for one in texts if one.name == b":path"}
    assert paths == {authority}
    assert {one.authority for one in texts if one.name != b":path"} <= {b""}


@pytest.mark.parametrize("step", [0, 1])
def test_from_the_middle_on_no_name_is_guessed(step: int) -> None:
    """What comes before the first certain frame may be anything; tables are not known."""
    before = b"left over"
    frames = b"".join(framed(PING, 0, 0, b"12345678") for _ in range(4))
    found = read(before + frames + head(OF_ENTRY) + data(1, b"x"), step)
    assert found[0] == ("unread", before)
    assert found[-2:] == [(None, b"de", 1), ("content", 1, b"x")]


@pytest.mark.parametrize("lost", range(1, 8))
def test_a_hole_in_content_costs_content(lost: int) -> None:
    stream = EMPTY + data(1, b"0123456789") + head(LITERAL)
    start = len(EMPTY) + 9 + 1
    found = read(stream, lost=(start, start + lost))
    content = [one for one in found if one[0] == "content"]
    assert b"".join(one[2] for one in content) == b"0" + b"123456789"[lost:]  # type: ignore[misc]
    assert found[-2:] == FIELD


def test_a_hole_in_content_forgets_no_table() -> None:
    stream = EMPTY + head(LITERAL) + data(1, bytes(50)) + head(OF_ENTRY, stream=3)
    start = len(EMPTY) + len(head(LITERAL)) + 9 + 1
    assert read(stream, lost=(start, start + 40)) == [
        *FIELD,
        ("content", 1, bytes(10)),
        (b"a", b"de", 1),
    ]


def test_a_hole_over_all_of_content() -> None:
    stream = EMPTY + head(LITERAL) + data(1, bytes(50)) + head(OF_ENTRY, stream=3)
    start = len(EMPTY) + len(head(LITERAL)) + 9
    assert read(stream, lost=(start, start + 50)) == [*FIELD, (b"a", b"de", 1)]


def test_a_hole_in_a_block_leaves_all_of_it_unread_and_forgets_the_table() -> None:
    stream = EMPTY + head(LITERAL) + head(NEVER, stream=3) + head(OF_ENTRY, stream=5)
    start = len(EMPTY) + len(head(LITERAL)) + 9 + 2
    found = read(stream, lost=(start, start + 2))
    assert found == [*FIELD, ("unread", NEVER), (None, b"de", 1)]


@pytest.mark.parametrize("kind, payload", [(PING, b"12345678"), (SETTINGS, bytes(12))])
@pytest.mark.parametrize("lost", [(9, 11), (10, 12), (9, 17)])
def test_a_hole_in_another_frame_leaves_its_payload_unread(
    kind: int, payload: bytes, lost: tuple[int, int]
) -> None:
    """Its header is there, and what follows is known; what the table holds may be set anew."""
    before = EMPTY + head(LITERAL)
    stream = before + framed(kind, 0, 0, payload) + data(1, b"more") + head(OF_ENTRY, stream=3)
    start, end = (len(before) + at for at in lost)
    assert read(stream, lost=(start, end)) == [
        *FIELD, ("unread", payload), ("content", 1, b"more"), (None, b"de", 1)
    ]  # fmt: skip


def test_a_hole_over_a_border_forgets_the_table() -> None:
    pings = framed(PING, 0, 0, b"12345678") * 4
    before = EMPTY + head(LITERAL)
    cut = head(NEVER, 0, 3) + pings[:17]
    stream = before + cut + pings[17:] + head(OF_ENTRY, stream=5)
    start = len(before) + 9 + 2
    assert read(stream, lost=(start, start + 20)) == [
        *FIELD, ("unread", cut), *[("plain", b"12345678")] * 3, (None, b"de", 1)
    ]  # fmt: skip


def test_a_hole_at_the_beginning() -> None:
    stream = EMPTY + b"".join(framed(PING, 0, 0, b"12345678") for _ in range(4)) + head(LITERAL)
    found = read(stream, lost=(0, 5))
    assert found[-2:] == FIELD and ("plain", b"12345678") in found


def test_what_nobody_asks_for_is_not_kept() -> None:
    frames = PlacedFrames(0, "server")
    frames.receive_data(EMPTY)
    for number in range(100):
        frames.receive_data(data(1, bytes(1_000)))
        assert frames.open_offset == len(EMPTY) + (number + 1) * 1_009


def test_a_block_that_is_replaced_by_what_cannot_be_read_is_unread() -> None:
    stream = EMPTY + head(UNREADABLE * len(LITERAL))
    assert read(stream) == [("unread", UNREADABLE * len(LITERAL))]


NAMES = st.sampled_from(["a", "x-token", "cookie", ":path", "accept"])
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@given(
    st.lists(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5), min_size=1, max_size=4),
    st.booleans(),
    st.integers(1, 40),
)
def test_every_literal_is_found_however_it_was_cut(
    blocks: list[list[tuple[str, str]]], is_coded: bool, step: int
) -> None:
    """Whatever an encoder of others writes: each literal is where it says, whole or cut."""
    encoder = Encoder()
    stream = EMPTY
    for number, fields in enumerate(blocks):
        stream += head(encoder.encode(fields, huffman=is_coded), stream=2 * number + 1)
    found = read(stream, step)
    assert found == read(stream)
    pairs = {(name.encode(), value.encode()) for fields in blocks for name, value in fields}
    assert {(name, text) for name, text, _ in found if text is not None} <= pairs


@given(st.binary(max_size=300), st.integers(1, 50), st.sampled_from(["client", "server"]))
def test_every_byte_of_anything_is_told_of_or_is_a_header(
    stream: bytes, step: int, sender: Sender
) -> None:
    read(stream, step, sender)
    read(EMPTY + stream, step, sender)


# --- what takes the place of a string ---


def test_plain_text_is_masked_in_its_place() -> None:
    assert rewritten_field(b"abcdef", [(1, 3), (5, 6)], is_coded=False) == b"a**de*"


TEXTS = [b"abcdef", b"Bearer eyJhbGciOi", b"{\\^|~}", b"\x00\xff\x80", b"!", b"0" * 50, b"<\\>" * 9]


@pytest.mark.parametrize("text", TEXTS)
def test_coded_text_keeps_its_sizes_and_what_is_beside(text: bytes) -> None:
    for start in range(len(text)):
        for end in (start + 1, (start + len(text) + 1) // 2, len(text)):
            if end <= start:
                continue
            coded = rewritten_field(text, [(start, end)], is_coded=True)
            hidden = huffman.decode(coded)
            assert len(coded) == len(huffman.encode(text))
            assert (len(hidden), hidden[:start], hidden[end:]) == (
                len(text), text[:start], text[end:],
            )  # fmt: skip


@given(st.binary(min_size=1, max_size=60))
def test_any_coded_text_keeps_its_sizes(text: bytes) -> None:
    """What stands for it depends on its size alone, in bytes and in characters."""
    coded = rewritten_field(text, [(0, len(text))], is_coded=True)
    assert len(coded) == len(huffman.encode(text))
    assert len(huffman.decode(coded)) == len(text)
    again = rewritten_field(text[::-1], [(0, len(text))], is_coded=True)
    assert again == coded


def test_a_name_in_huffmans_code_has_no_capitals_for_a_mask() -> None:
    for text in (b"x-secret-name", b"abcdefghijklmnopqrstuvwxyz", b"jjjjjjjj", b"aaaa"):
        coded = rewritten_field(text, [(0, len(text))], is_coded=True, is_name=True)
        assert len(coded) == len(huffman.encode(text))
        masked = huffman.decode(coded)
        assert len(masked) == len(text) and masked == masked.lower()
        assert MASK_CHARACTERS.issuperset(masked)


def test_payloads_say_of_which_type_of_frame_they_are() -> None:
    frames = PlacedFrames(0, "server")
    ping = framed(6, 0, 0, b"12345678")
    padded = framed(0, 8, 1, b"\x02ab\x01\x01")
    found = frames.receive_data(framed(4, 0, 0) + ping + padded)
    assert [one.kind for one in found if isinstance(one, Plain)] == [6, None]


def test_what_frames_are_made_of() -> None:
    """Whatever of a stream is told of as nothing else is syntax, each byte of it once."""
    stream = (
        EMPTY + head(LITERAL) + framed(0, 8, 1, b"\3abc" + bytes(3)) + framed(6, 0, 0, bytes(8))
    )
    for step in (1, 7, len(stream)):
        frames = PlacedFrames(0, "server")
        found: list[Found] = []
        for at in range(0, len(stream), step):
            found += frames.receive_data(stream[at : at + step])
        syntax = [one for one in found + frames.end() if isinstance(one, Syntax)]
        assert [len(one.data) for one in syntax if one.is_header] == [9, 9, 9, 9]
        assert all(stream[one.start :].startswith(one.data) for one in syntax)
        told = sorted(at for one in syntax for at in range(one.start, one.start + len(one.data)))
        content = {at for at in range(len(stream)) if stream[at : at + 3] == b"abc"}
        rest = [*range(len(stream) - 8)]
        assert told == [at for at in rest if not content & {at, at - 1, at - 2}]
