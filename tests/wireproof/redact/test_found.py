"""Secrets that are known, wherever and however they stand in a text."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.found import LEAST, MAX_VALUES, MOST, FoundSecrets, Left

SHORT = b"s3cr3t-9xQ"
LONG = b"sk-live-Xk7pQ2mZ9vR4tW1nB8cL3sD6yH5jG0fA-+/~and-more-of-it-than-is-looked-for"
TEXTS = st.binary(max_size=40)


def holding(*values: bytes) -> FoundSecrets:
    found = FoundSecrets()
    for value in values:
        found.add(value)
    return found


@pytest.mark.parametrize("before", range(40))
@pytest.mark.parametrize("value", [SHORT, LONG[:23], LONG[:31], LONG])
def test_at_every_place(value: bytes, before: int) -> None:
    text = bytes(before) + value + b" and so on"
    left = Left(before, before + min(len(value), MOST), "as it is")
    assert set(holding(value).left_in(text)) == {left}
    assert set(holding(value, LONG[10:25]).left_in(text)) >= {left}


@pytest.mark.parametrize("value", [SHORT, LONG])
@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("in base64", lambda value: b64encode(value)),
        ("in base64", lambda value: b64encode(b"a" + value + b"b")),
        ("in base64", lambda value: urlsafe_b64encode(b"ab" + value)),
        ("in percent encoding", lambda value: b"".join(b"%%%02X" % byte for byte in value)),
        ("in hexadecimal", lambda value: value.hex().encode()),
        ("in hexadecimal", lambda value: value.hex().upper().encode()),
        ("in UTF-16", lambda value: value.decode().encode("utf-16-le")),
        ("in UTF-16", lambda value: value.decode().encode("utf-16-be")),
    ],
)
def test_in_every_form(value: bytes, form: str, written: Callable[[bytes], bytes]) -> None:
    text = b'{"id": "' + written(value) + b'"}'
    assert {left.form for left in holding(value).left_in(text)} == {form}


def test_secrets_that_begin_alike() -> None:
    """All JSON Web Tokens do, and the windows of what they begin with are of all of them."""
    values = [LONG[:40] + str(number).encode() for number in range(50)]
    found = holding(*values)
    for value in values[::7]:
        assert Left(3, 3 + len(value), "as it is") in set(found.left_in(b"is " + value))
    assert not list(found.left_in(LONG[:40] + b"other"))


def test_what_repeats_itself() -> None:
    value = b"abcdef12" * 4
    assert set(holding(value).left_in(b"x" + value + b"abcdef12")) == {
        Left(1, 33, "as it is"),
        Left(9, 41, "as it is"),
    }


@given(st.lists(TEXTS, min_size=1, max_size=5), st.lists(TEXTS, max_size=5), st.data())
def test_what_python_finds(values: list[bytes], parts: list[bytes], data: st.DataObject) -> None:
    found = holding(*values)
    text = b"".join(data.draw(st.permutations(parts + values)))
    expected = {value for value in found.values if value in text}
    assert {
        text[left.start : left.end] for left in found.left_in(text) if left.form == "as it is"
    } == expected


@pytest.mark.parametrize(
    "value", [SHORT[: LEAST - 1], b"aaaaabbbbbccccc", b"application/json", b"transfer-encoding"]
)
def test_what_tells_nothing(value: bytes) -> None:
    assert not list(holding(value).left_in(value))


def test_more_than_are_looked_for() -> None:
    found = holding(*(b"secret-%06d" % number for number in range(MAX_VALUES + 1)))
    assert found.is_full
    assert len(found.values) == MAX_VALUES
    assert list(found.left_in(b"secret-000000"))
    assert not list(found.left_in(b"secret-%06d" % MAX_VALUES))
