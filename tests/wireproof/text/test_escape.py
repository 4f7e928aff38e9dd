"""What is printed is printable, whatever came."""

from __future__ import annotations

import unicodedata
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireproof.text.escape import escape, escape_bytes, preview

HIDDEN = {"Cc", "Cs", "Co", "Zl", "Zp"}
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Grüße, 世界, 🚀", "plain, Grüße, 世界, 🚀"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x00\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
        ("\x85\x9b", "\\u0085\\u009b"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800x\udcff", "\\ud800x\\udcff"),
        ("\ufeffid: 1", "\\ufeffid: 1"),
        ("\U000e0041", "\\U000e0041"),
        ("\ue001N\xa0", "\\ue001N\\u00a0"),
        ("全角\u3000空白", "全角\u3000空白"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ('{"a": "x\\n"}', '{"a": "x\\n"}'),  # the sender's own backslash stays one
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_every_character_that_a_terminal_obeys_is_escaped() -> None:
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in HIDDEN or character in BIDI_CONTROLS:
            assert escape(character).isascii(), hex(code)
            assert escape(character).startswith("\\")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", ""),
        (b"text\n", "text\\n"),
        ("世界".encode()[1:], "\\xb8\\x96界"),
        ("世界".encode()[:-1], "世\\xe7\\x95"),
        ("世".encode()[1:2], "\\xb8"),
        (b"\x1f\x8b\x08\x00", "1f 8b 08 00"),
        (b"\x80\x80\x80\x80text", "80 80 80 80 74 65 78 74"),
        (b"a\xffb", "61 ff 62"),
    ],
)
def test_bytes_are_text_but_for_cut_characters(data: bytes, shown: str) -> None:
    assert escape_bytes(data) == shown


@given(st.text(), st.integers(0, 20), st.integers(0, 20))
@settings(deadline=None)
def test_text_cut_anywhere_never_turns_to_hex(text: str, start: int, end: int) -> None:
    data = text.encode("utf-8", "ignore")
    cut = data[start : max(len(data) - end, start)]
    shown = escape_bytes(cut)
    head = len(cut) - len(cut.lstrip(bytes(range(0x80, 0xC0))))
    assert shown.startswith("".join(f"\\x{byte:02x}" for byte in cut[:head]))
    assert not any(unicodedata.category(character) in HIDDEN for character in shown)


def test_preview_looks_at_the_beginning_only() -> None:
    assert preview("short", "utf-8", 10) == "short"
    assert preview("x" * 41, "utf-8", 10) == "x" * 40 + "…"
    assert preview("x" * 5, "utf-8", 0) == "xxxx…"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 29, 30, 31, 1_000])
def test_preview_of_base64_is_of_its_bytes(size: int) -> None:
    data = b"\xff" * size
    shown = preview(b64encode(data).decode(), "base64", 10)
    assert shown == " ".join(["ff"] * min(size, 30)) + ("…" if size > 30 else "")


def test_preview_of_base64_cut_inside_a_character() -> None:
    data = b"x" + "世".encode() * 50
    shown = preview(b64encode(data).decode(), "base64", 10)
    assert shown == "x" + "世" * 9 + "\\xe4\\xb8…"
