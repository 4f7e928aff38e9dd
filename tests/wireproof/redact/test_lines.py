"""Secrets in the lines of a head, as they stand."""

from __future__ import annotations

import pytest

from wireproof.redact.lines import behind_hole, field_line_spans, rest_of_line


@pytest.mark.parametrize(
    ("lines", "secrets"),
    [
        ("X-Api-Key: ab\r\n cd\r\n", ["ab", "cd"]),
        ("Authorization: Bearer\r\n \tabcd\r\n", ["abcd"]),
        ("Authorization: Bearer ab\r\n cd\r\n", ["ab", "cd"]),
        ("Cookie:\r\n  a=ab\r\n ;b=cd\r\n", ["ab", "cd"]),
    ],
)
def test_folded_fields_stay_folded(lines: str, secrets: list[str]) -> None:
    text = f"Host: x\r\n{lines}Date: y\r\n\r\n"
    spans = list(field_line_spans(text, "headers"))
    assert [text[start:end] for start, end in spans] == secrets


@pytest.mark.parametrize(
    ("cut", "text", "secret"),
    [
        ("X-Api-Key:", "***** abcdefgh\r\nHost: a\r\n", "***** abcdefgh"),
        ("Authorization: Bea", "***r abcdefgh\r\n", "***r abcdefgh"),
        ("X-Ap", "***** abcdefgh\r\n", "***** abcdefgh"),  # the name may be that of a secret
        ("Host: exam", "****k: abc123abc123\r\n", "abc123abc123"),
        ("Host: exam", "****ple\r\nX: y\r\n", ""),
        ("Trans", "1f\r\n" + 31 * "y" + "\r\n0\r\n\r\n", ""),  # of a chunk
        ("Trans", "1f4\r\n" + 31 * "y", ""),
        ("X-Pi", "0f\r\nHost: a\r\nAccept: text/html\r\n\r\n", "0f"),
        ("X-Pi", "\r\nHost: a\r\n", ""),
    ],
)
def test_the_rest_of_a_line_behind_a_hole(cut: str, text: str, secret: str) -> None:
    spans = rest_of_line(cut, text, "all")
    assert "".join(text[start:end] for start, end in spans) == secret


@pytest.mark.parametrize(
    ("before", "behind", "size", "secret"),
    [
        ('{"user":"a","password', 'Zq7vLw9x","z":1}', 3, "Zq7vLw9x"),
        ('{"password"', 'Zq7vLw9x","z":1}', 2, "Zq7vLw9x"),
        ('{"password":', 'correct"}', 1, "correct"),
        ("a=b&api_key", "Zq7vLw9xKt3n&c=d", 1, "Zq7vLw9xKt3n"),
        ("user[password]", "hunter22&c=d", 1, "hunter22"),
        ("DB_PASSWORD", "Zq7vLw9xKt3n\nPORT=80", 1, "Zq7vLw9xKt3n"),
        ("your password", "ally is wrong", 4, ""),  # words
        ("the passwo", "d Zq7vLw9xKt3n", 1, ""),
        ('{"public_key', 'Zq7vLw9xKt3n"}', 3, ""),
        ('{"name', 'Zq7vLw9xKt3n"}', 3, ""),
        ('{"password', 'Zq7vLw9x"}', 900, ""),  # there may be anything in it
        ('{"password', "", 3, ""),
    ],
)
def test_a_hole_between_a_name_and_its_value(
    before: str, behind: str, size: int, secret: str
) -> None:
    span = behind_hole(before, behind, size)
    assert ("" if span is None else behind[slice(*span)]) == secret
