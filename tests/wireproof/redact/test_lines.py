"""Secrets in the lines of a head, as they stand."""

from __future__ import annotations

from wireproof.redact.lines import field_line_spans


def test_folded_fields_keep_their_line_ends() -> None:
    text = "Host: x\r\nX-Api-Key: ab\r\n cd\r\nDate: y\r\n\r\n"
    spans = list(field_line_spans(text, "headers"))
    assert [text[start:end] for start, end in spans] == ["ab", " cd"]
