"""The content of bodies: bounded, decoded, as text where it is text."""

from __future__ import annotations

import gzip
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import pytest
from support.handmade import Wire

from parsers import Memory
from wireproof.export import content as module
from wireproof.export.content import ContentStream, decode_content
from wireproof.redact import Report
from wireproof.spool import Pieces, Spool


class Read(NamedTuple):
    """Content whose text has been read."""

    text: str
    is_base64: bool
    size: int
    is_cut: bool


def decode(data: bytes, coding: str | None = None, policy="none", is_base64=False, wide=False):
    body = Wire().body(content_encoding=coding, decoded_size=len(data))
    report = Report()
    codings = [] if coding is None else coding.split(", ")[::-1]
    with closing(Spool()) as spool:
        coded = Pieces(spool)
        coded.add(data)
        found = decode_content(
            coded, False, body, policy, report, spool=spool, memory=Memory(), codings=codings,
            is_base64=is_base64, has_other_charset=wide, is_event_stream=False,
        )  # fmt: skip
        return Read(found.read(), found.is_base64, found.size, found.is_cut), report


def test_text_and_bytes() -> None:
    assert decode("ä".encode())[0][:2] == ("ä", False)
    assert decode(b"\0")[0][:2] == ("AA==", True), "no text has it"
    found, _ = decode(b"\xff\x00")
    assert found.is_base64 and b64decode(found.text) == b"\xff\x00"


def test_codings_are_undone() -> None:
    assert decode(gzip.compress(b"hello"), "gzip")[0].text == "hello"


def test_secrets_are_masked_in_what_was_coded() -> None:
    found, report = decode(gzip.compress(b"sk-proj-abcdefghijklmnop"), "gzip", "all")
    assert found.text == "*" * 24 and report.masked == 1


@pytest.mark.parametrize("coding", ["compress", "gzip, compress", ", ".join(["gzip"] * 9)])
def test_what_a_coding_still_hides_is_masked_whole(coding: str) -> None:
    """A coding that is not known, or one too many: what is given may be decoded elsewhere."""
    hidden = gzip.compress(b"sk-proj-abcdefghijklmnop")
    for _ in range(coding.count("gzip") - 1 if coding.endswith("gzip") else 0):
        hidden = gzip.compress(hidden)
    found, report = decode(hidden, coding, "all")
    assert found.text and set(found.text) == {"*"} and not found.is_base64
    assert (report.masked, report.left_out) == (0, 1)
    shown, _ = decode(hidden, coding)
    assert shown.is_base64 and b64decode(shown.text)[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("hide", [gzip.compress, b64encode])
def test_what_hides_a_secret_though_nothing_says_so_is_masked_whole(
    hide: Callable[[bytes], bytes],
) -> None:
    in_base64 = hide is b64encode
    hidden = hide(b"sk-proj-abcdefghijklmnop")
    found, report = decode(hidden, policy="all", is_base64=in_base64)
    assert found.text == "*" * len(hidden) and report.left_out == 1
    harmless = hide(b"nothing to hide")
    found, _ = decode(harmless, policy="all", is_base64=in_base64)
    assert (b64decode(found.text) if found.is_base64 else found.text.encode()) == harmless


def test_text_of_which_no_byte_is_ascii_is_masked_whole() -> None:
    wide = "secret".encode("utf-16-le")
    found, report = decode(wide, policy="all", wide=True)
    assert found.text == "*" * len(wide) and report.left_out == 1
    assert b64decode(decode(wide, wide=True)[0].text) == wide


def test_content_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONTENT", 10)
    with closing(Spool()) as spool:
        stream = ContentStream(spool)
        for _ in range(5):
            stream.content(b"abcd", 0)
        taken = [stream.take_content() for _ in range(2)]
        found = [(b"".join(pieces), is_cut) for pieces, is_cut in taken]
    assert found == [
        (b"abcdabcdab", True), (b"", False)
    ]  # fmt: skip
    found, _ = decode(gzip.compress(b"x" * 50), "gzip")
    assert found.text == "x" * 10 and found.is_cut


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 700_000])
def test_content_of_any_length_is_what_one_call_gives(size: int) -> None:
    """In pieces: characters of several bytes and groups of base64 lie across their borders."""
    words = ("aä\u20ac\U0001f600" * (size // 10 + 1)).encode()[:size]
    whole = words.decode(errors="ignore")
    for data in (whole.encode(), whole.encode() + b"\xff", b"\xe2\x82"):
        found, _ = decode(gzip.compress(data), "gzip")
        text = found.text.encode() if not found.is_base64 else b64decode(found.text)
        assert text == data and found.is_base64 == (data != whole.encode())
