"""Very long values of PDML are passed over: what stays of them, and that no cut changes it."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireproof.wireshark import long_values
from wireproof.wireshark.elements import digest
from wireproof.wireshark.long_values import ShorterValues
from wireproof.wireshark.pdml import PIECE, Node, read_packets
from wireproof.wireshark.run import TsharkFailed

DATA = bytes(range(256)) * 3
DIGEST = digest(len(DATA), sha256(DATA).hexdigest())
BEFORE = b'<pdml><packet><proto name="http" pos="4" size="9"/><field name="http.file_data" '
AFTER = b' size="3"/><field name="http.response.code" show="200" value="32"/></packet></pdml>\n'


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_values, "MAX_LENGTH", 100)
    monkeypatch.setattr(long_values, "MAX_BEGINNING", 20)


def shortened(document: bytes, lengths: list[int]) -> bytes:
    shorter, stream, found = ShorterValues(), BytesIO(document), b""
    sizes = iter(lengths)
    while piece := stream.read(next(sizes, 16)):
        found += shorter.receive(piece)
    return found + shorter.finish()


LONG = [
    (b'value="%b"' % DATA.hex().encode(), b'value="" digest="%b"' % DIGEST.encode()),
    (b'show="%b"' % (b"a" * 300), b'show="%b"' % (b"a" * 20)),
    (b'unmaskedvalue="%b"' % (b"61" * 150), b'unmaskedvalue="%b"' % (b"61" * 10)),
    (b'show="%b&quot;%b"' % (b"a" * 14, b"b" * 300), b'show="%b&quot;"' % (b"a" * 14)),
    (b'show="%b&quot;%b"' % (b"a" * 15, b"b" * 300), b'show="%b"' % (b"a" * 15)),
    (b'show="%b%b"' % (b"a" * 19, "é".encode() * 200), b'show="%b"' % (b"a" * 19)),
]


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(("value", "kept"), LONG, ids=range(len(LONG)))
def test_of_a_long_value_digest_or_beginning_stay(value: bytes, kept: bytes) -> None:
    # One held value is seen to be long when it has more than MAX_LENGTH, a piece at most.
    assert shortened(BEFORE + value + AFTER, []) == BEFORE + kept + AFTER


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("value", [b'value="%b"' % (b"61" * 50), b'show="%b"' % (b"a" * 100)])
def test_other_values_stay_as_they_are(value: bytes) -> None:
    document = BEFORE + value + AFTER
    assert shortened(document, []) == document


@pytest.mark.usefixtures("limits")
def test_what_is_no_value_stays_as_it_is() -> None:
    document = b"<pdml>" + b"x" * 400 + b'<a b="c"/>' + b" " * 400 + b"</pdml>"
    assert shortened(document, []) == document


@pytest.mark.usefixtures("limits")
@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 60)))
def test_cuts_change_no_digest(lengths: list[int]) -> None:
    value, kept = LONG[0]
    assert shortened(BEFORE + value + AFTER, lengths) == BEFORE + kept + AFTER


@pytest.mark.usefixtures("limits")
def test_a_document_may_stop_inside_of_a_long_value() -> None:
    value, kept = LONG[0]
    assert shortened(BEFORE + value[:-9], []).startswith(BEFORE + kept[:17])


@pytest.mark.usefixtures("limits")
def test_what_is_no_hex_fails() -> None:
    with pytest.raises(TsharkFailed, match="'zzzz.* for bytes of a field"):
        shortened(BEFORE + b'value="' + b"z" * 200, [])


def test_a_node_has_the_digest_of_a_long_value() -> None:
    data = b"a" * ((long_values.MAX_LENGTH + PIECE) // 2 + 1)
    document = BEFORE + b'show="%b" value="%b"' % (data * 3, data.hex().encode()) + AFTER
    ((_, nodes),) = read_packets(BytesIO(document), (4, 0, 17))
    kept = "a" * long_values.MAX_BEGINNING
    found = digest(len(data), sha256(data).hexdigest())
    assert nodes[1:] == [
        Node("content", kept, "", 0, 3, "", found),
        Node("status", "200", "32", 0, 0, ""),
    ]
    assert nodes[1].content() == found
