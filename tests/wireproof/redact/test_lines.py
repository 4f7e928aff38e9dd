"""Secrets in the lines of a head, as they stand."""

from __future__ import annotations

import pytest

from wireproof.redact.lines import field_line_spans, rest_of_line


def test_folded_fields_keep_their_line_ends() -> None:
    text = "Host: x\r\nX-Api-Key: ab\r\n cd\r\nDate: y\r\n\r\n"
    spans = list(field_line_spans(text, "headers"))
    assert [text[start:end] for start, end in spans] == ["ab", " cd"]


@pytest.mark.parametrize(
    ("cut", "text", "secret"),
    [
        ("X-Api-Key:", "***** abcdefgh\r\nHost: a\r\n", "***** abcdefgh"),
        ("Authorization: Bea", "***r abcdefgh\r\n", "***r abcdefgh"),
        ("X-Ap", "***** abcdefgh\r\n", "***** abcdefgh"),  # the name may be that of a secret
        ("Host: exam", "****k: abc123abc123\r\n", "abc123abc123"),
        ("Host: exam", "****ple\r\nX: y\r\n", ""),
    ],
)
def test_the_rest_of_a_line_behind_a_hole(cut: str, text: str, secret: str) -> None:
    spans = rest_of_line(cut, text, "all")
    assert "".join(text[start:end] for start, end in spans) == secret
